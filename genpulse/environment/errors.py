"""What can be wrong with the choice of an environment.

EnvironmentProblem
├── UnknownEnvironment   a value that names none
├── EnvironmentConflict  two variables that name different ones
└── NoEnvironment        none is named where one must be
"""

from collections.abc import Collection
from difflib import get_close_matches


class EnvironmentProblem(Exception):
    """Base of these errors. Every command ends with exit code 78."""


class UnknownEnvironment(EnvironmentProblem):
    """A value that names no environment."""

    def __init__(self, variable: str, value: str, source: str, allowed: Collection[str]) -> None:
        message = f"{variable}={value!r} (from {source}) names no environment. Allowed: {', '.join(allowed)}."
        if near := get_close_matches(value.strip().lower(), allowed, n=1, cutoff=0.3):
            message += f" Did you mean {near[0]}?"
        if "/" in value or "$" in value:
            message += (
                " This looks like the start-up file of a POSIX shell, which also uses the name ENV;"
                " unset it, or set ENV=dev|test|main."
            )
        super().__init__(message)


class EnvironmentConflict(EnvironmentProblem):
    """Two variables that name different environments."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one}; {other}. Unset one of them.")


class NoEnvironment(EnvironmentProblem):
    """None is named where one must be."""

    def __init__(self) -> None:
        super().__init__("No environment is named. Set ENV=dev|test|main.")

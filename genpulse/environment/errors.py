"""Errors of the choice of an environment.

EnvironmentProblem
├── UnknownEnvironment   a value that names none
├── EnvironmentConflict  two variables that name different ones
├── NamelessSecrets      a `.env` that does not say whose it is, about to be used outside of development
└── NoEnvironment        none is named where one must be
"""

import os
import re
from collections.abc import Collection
from difflib import get_close_matches

from genpulse.environment.table import BY_NAME, ENVIRONMENTS, Environment

_SAY = "|".join(BY_NAME)
_TOPIC = re.compile(r"(?:feature|fix)/")
_ALIKE = 0.75
_SHORT_FORMS = {"prod": "main", "live": "main", "develop": "dev", "tests": "test"}


class EnvironmentProblem(Exception):
    """Base of these errors. Every command ends with exit code 78."""

    exit_code = os.EX_CONFIG


class UnknownEnvironment(EnvironmentProblem):
    """A value that names no environment."""

    def __init__(self, variable: str, value: str, source: str, allowed: Collection[str]) -> None:
        message = f"{variable}={value!r} (from {source}) names no environment. Allowed: {', '.join(allowed)}."
        if topic := _TOPIC.match(value.strip().lower()):
            message += f" Branches {topic[0]}* run as ENV=dev."
        elif meant := _meant(value.strip().lower(), allowed):
            message += f" Did you mean {meant}?"
        if not topic and looks_like_a_start_up_file(value):
            message += (
                " This looks like the start-up file of a POSIX shell, which also uses the name ENV;"
                f" unset it, or set ENV={_SAY}."
            )
        super().__init__(message)


class EnvironmentConflict(EnvironmentProblem):
    """Two variables that name different environments."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one}; {other}. Unset one of them.")


class NamelessSecrets(EnvironmentProblem):
    """A `.env` that does not say whose it is, about to be used outside of development."""

    def __init__(self, dotenv_path: str, environment: Environment) -> None:
        super().__init__(
            f"{dotenv_path} names no environment, and this process is {environment.dynaconf}: nobody can tell"
            f" whether its secrets are for here. Add the line ENV={environment.name} to it if they are; remove the"
            " file if they are not."
        )


class NoEnvironment(EnvironmentProblem):
    """No environment is named where one has to be."""

    def __init__(self) -> None:
        super().__init__(f"No environment is named, and a built image assumes none. Set ENV={_SAY}.")


def _meant(value: str, allowed: Collection[str]) -> str | None:
    """What names the same environment in other words, or is that with a slip of the finger; None: who knows.

    Nothing that only looks a little alike, which may be production.
    """
    value = _SHORT_FORMS.get(value, value)
    for environment in ENVIRONMENTS:
        if value in {environment.name, environment.dynaconf, environment.branch}:
            return environment.name if environment.name in allowed else environment.dynaconf
    near = get_close_matches(value, allowed, n=1, cutoff=_ALIKE)
    return near[0] if near else None


def looks_like_a_start_up_file(value: str) -> bool:
    """Shells read the file that ENV names: such a value is no mistake about environments."""
    return "/" in value or "$" in value

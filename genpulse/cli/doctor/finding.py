"""A finding of `genpulse doctor`."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """The severity of a finding. Only WRONG makes `genpulse doctor` end with exit code 1."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of `genpulse doctor`; `advice` is what to do when it is not well."""

    name: str
    level: Level
    detail: str
    advice: str = ""


def well(name: str, detail: str) -> Finding:
    """A finding that needs no action."""
    return Finding(name, Level.OK, detail)


def warning(name: str, detail: str, advice: str) -> Finding:
    """A finding that works and that a person should know of."""
    return Finding(name, Level.WARNING, detail, advice)


def wrong(name: str, detail: str, advice: str = "") -> Finding:
    """Something does not work, or will not."""
    return Finding(name, Level.WRONG, detail, advice)

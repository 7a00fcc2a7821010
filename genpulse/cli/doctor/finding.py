"""A finding of `genpulse doctor`."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it is. Only WRONG makes `genpulse doctor` end with an exit code."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and how it is; `advice` is what to do when it is not well."""

    name: str
    level: Level
    detail: str
    advice: str = ""


def well(name: str, detail: str) -> Finding:
    """Nothing is to be done."""
    return Finding(name, Level.OK, detail)


def warning(name: str, detail: str, advice: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(name, Level.WARNING, detail, advice)


def wrong(name: str, detail: str, advice: str = "") -> Finding:
    """Something does not work, or will not."""
    return Finding(name, Level.WRONG, detail, advice)

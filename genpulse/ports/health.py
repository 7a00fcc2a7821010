"""The port of health checks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """How a part of the system is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """A part of the system and how it is. Only DOWN makes the process not ready."""

    name: str
    state: State
    detail: str = ""


class Probe(Protocol):
    """Looks at one part of the system."""

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""

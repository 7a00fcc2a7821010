"""Errors of the configuration."""

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the key or variable, the place that it came from, and what to do.

    Without a key the detail is a sentence of its own.
    """

    key: str
    place: str
    detail: str

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        return f"{self.key}{where}: {self.detail}" if self.key else f"{self.detail}{where}"


class ConfigurationError(Exception):
    """Everything that is wrong with the configuration, a line each, never with the value of a secret."""

    exit_code = os.EX_CONFIG

    def __init__(self, environment: str, faults: Sequence[Fault]) -> None:
        self.environment = environment
        self.faults = tuple(faults)
        count = f"{len(faults)} problem{'s' if len(faults) != 1 else ''}"
        whose = f" of {environment}" if environment else ""
        listed = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"The configuration{whose} has {count}:\n{listed}")

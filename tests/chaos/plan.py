"""How large a run is, and what is struck in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from genpulse.lifecycle.webhooks.delivery import HELD_S
from tests.chaos.rude import Manner
from tests.chaos.schedule import Incident, Terms, storm

CLOCKS_S = (0.0, 3600.0, 0.0, -900.0, 120 * 86_400.0, 40.0)
"""By how much the clock of each worker's host is ahead."""


@dataclass(frozen=True)
class Plan:
    """How large a run is.

    `every_s` is the mean pause between incidents; tasks come `pace_s` seconds apart; after the last incident and
    the last submit everything may take `ends_within_s` to come to its end. The storm lasts at least `storm_s`. A
    `script` takes its place, and then no worker lives for seconds only. `clocks` are wrong on some hosts.
    What all processes have logged is copied to `log`. Two count only where messages are sent: `calm` is how large
    the look at the calm is, 1.0 for the whole, and `manners` are those of the rude receivers.
    """

    tasks: int
    seed: int
    every_s: float
    workers: int
    apis: int = 2
    pace_s: float = 0.03
    ends_within_s: float = 180.0
    storm_s: float = 0.0
    lease_s: float = 5.0
    calm: float = 1.0
    script: tuple[Incident, ...] | None = None
    log: Path | None = None
    clocks: bool = True
    manners: tuple[Manner, ...] = tuple(Manner)

    def incidents(self) -> Iterable[Incident]:
        """What is done, in its order."""
        terms = Terms(self.every_s, self.lease_s, self.workers, self.apis)
        return storm(self.seed, terms) if self.script is None else self.script

    @property
    def outlasts_senders(self) -> bool:
        """Whether a message that a lost worker was sending is sent again before the verdict."""
        return self.ends_within_s > HELD_S

    @property
    def clocks_s(self) -> tuple[float, ...]:
        """By how much the clock of each worker's host is ahead."""
        return tuple(CLOCKS_S[index % len(CLOCKS_S)] if self.clocks else 0.0 for index in range(self.workers))

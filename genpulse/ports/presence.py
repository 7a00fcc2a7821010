"""The port of the list of live workers."""

from dataclasses import dataclass
from typing import Protocol

from genpulse.domain.text.storable import storable_line


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    """A worker that said it is there. `concurrency` and `running` count tasks, `failing` are background loops."""

    name: str
    host: str
    pid: int
    concurrency: int
    running: int
    providers: tuple[str, ...]
    failing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hosts and plug-ins are named by others: their names are made fit to be sent."""
        object.__setattr__(self, "name", storable_line(self.name))
        object.__setattr__(self, "host", storable_line(self.host))
        object.__setattr__(self, "failing", tuple(map(storable_line, self.failing)))


class Presence(Protocol):
    """Which workers are there, as far as is known."""

    async def beat(self, worker: WorkerPresence, ttl_s: float) -> None:
        """Be seen for `ttl_s` seconds. Does nothing while it cannot be written."""

    async def workers(self) -> tuple[WorkerPresence, ...]:
        """Those that were seen. Empty when nothing is known."""

"""What is played on a stage while it is struck, and what is looked at in the end."""

from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from genpulse.dev.processes.child import Guard
from tests.chaos.finding import Finding
from tests.chaos.killer import Killer
from tests.chaos.plan import Plan
from tests.chaos.stage import Stage


@dataclass(frozen=True)
class Audit:
    """What a play has come to. `figures` and `tables` are lines to read, which nothing depends on."""

    findings: tuple[Finding, ...]
    figures: tuple[str, ...]
    tables: tuple[str, ...]


class Play(Protocol):
    """Callers, and all that takes part beside the installation. The run strikes, waits and asks for the audit."""

    stage: Stage

    async def submit(self, numbers: Iterable[int], pace_s: float) -> None:
        """All tasks, `pace_s` seconds apart, to the answer of the last."""

    def beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What goes on from the first submit to the audit, until it is cancelled."""

    async def left(self, connection: asyncpg.Connection) -> int:
        """How much there is to do yet when every task has ended. Raises what `AWAY` names."""

    async def after_storm(self) -> None:
        """What is done when nothing is struck any more, and nothing is left to do."""

    async def audit(self, killer: Killer) -> Audit:
        """Everything is at rest: look at it."""

    def progress(self) -> str:
        """How many tasks were accepted, and so on."""


@dataclass(frozen=True)
class Suite:
    """One play under its name. `module` is called on the command line; `opened` sets its stage up.

    `sends_messages`: whether there are receivers, so that their manners can be chosen.
    """

    module: str
    about: str
    opened: Callable[[Plan, Guard], AbstractAsyncContextManager[Play]]
    sends_messages: bool = False

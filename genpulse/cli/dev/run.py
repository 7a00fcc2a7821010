"""Brings the stack of `genpulse dev` up, and keeps it up until somebody ends it."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import genpulse
from genpulse.background.first import first_of
from genpulse.cli.output.console import console
from genpulse.dev.home import open_home
from genpulse.dev.plan import StackPlan
from genpulse.dev.processes.code_changes import changes
from genpulse.dev.processes.supervisor import STACK
from genpulse.dev.stack import Stack, running_stack
from genpulse.dev.state import CA_VARIABLE, DevState
from genpulse.dev.terminal.browser import open_page
from genpulse.dev.terminal.keyboard import keys
from genpulse.dev.terminal.log_view import StackConsole

_INTERRUPTED = 130
_CONSOLE, _DOCUMENTATION = "the console", "the documentation"
_PAGES = {_CONSOLE: "console", _DOCUMENTATION: "docs"}


def run(plan: StackPlan, *, reload: bool) -> int:
    """Returns the exit code of the whole: 130 after an interruption, 0 after the key q."""
    return asyncio.run(_DevRun(plan, reload=reload).until_ended())


class _DevRun:
    def __init__(self, plan: StackPlan, *, reload: bool) -> None:
        open_home(plan.home)
        self._plan = plan
        self._reloads = reload
        self._page = _CONSOLE if plan.has_console else _DOCUMENTATION
        self._hear = StackConsole(plan.home / "logs", console())
        self._interruptions = 0
        self._quit = asyncio.Event()
        self._chores: set[asyncio.Task[None]] = set()

    async def until_ended(self) -> int:
        up = asyncio.create_task(self._run())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupt, up)
        try:
            return await up
        except asyncio.CancelledError:
            return _INTERRUPTED
        finally:
            self._hear.close()

    def _interrupt(self, up: asyncio.Task[int]) -> None:
        self._interruptions += 1
        if self._interruptions > 1:
            os._exit(_INTERRUPTED)
        self._hear(STACK, "stopping (again: at once)")
        up.cancel()

    async def _run(self) -> int:
        async with running_stack(self._plan, self._hear) as stack:
            for line in _banner(stack, self._plan):
                self._hear(STACK, line)
            duties: list[Coroutine[Any, Any, int]] = [stack.watch_over(), self._until_quit()]
            if self._reloads:
                own = [Path(genpulse.__file__).parent, self._plan.folder / "config"]
                duties.append(self._reload(stack, [*own, *self._plan.watched], is_deep=True))
                duties.append(self._reload(stack, self._plan.watched_flat, is_deep=False))
            with self._listening(stack):
                return await first_of(*duties)

    @contextlib.contextmanager
    def _listening(self, stack: Stack) -> Iterator[None]:
        """To single keys, when a person is there."""
        if not sys.stdin.isatty():
            yield
            return
        self._hear(STACK, f"keys: r starts api and worker again, o opens {self._page}, q quits")
        with keys(sys.stdin.fileno(), stack.guard, lambda key: self._pressed(key, stack)):
            yield

    def _pressed(self, key: str, stack: Stack) -> None:
        if key == "q":
            self._hear(STACK, "stopping")
            self._quit.set()
        elif key == "r" and not self._chores:
            self._hear(STACK, "starting api and worker again")
            self._begin(stack.reload())
        elif key == "o":
            self._begin(self._open(f"{stack.api_url}/{_PAGES[self._page]}"))

    def _begin(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _open(self, url: str) -> None:
        opened = await asyncio.to_thread(open_page, url)
        self._hear(STACK, f"opened {url}" if opened else f"no browser opens here; the page is {url}")

    async def _until_quit(self) -> int:
        await self._quit.wait()
        return 0

    async def _reload(self, stack: Stack, folders: Sequence[Path], *, is_deep: bool) -> int:
        watched = [folder for folder in folders if folder.is_dir()]
        if not watched:
            return await self._until_quit()
        async for names in changes(watched, is_deep=is_deep):
            self._hear(STACK, f"{names} changed: starting api and worker again")
            await stack.reload()
        return 0


def _banner(stack: Stack, plan: StackPlan) -> tuple[str, ...]:
    state, program = stack.state, _program()
    return (
        "",
        f"GenPulse is up:  {state.api_url}     documentation: {state.api_url}/docs",
        *_of_tls(state),
        *((f"  console        {state.api_url}/console",) if plan.has_console else ()),
        f"  PostgreSQL     {state.database_url}  ({state.postgres_from})",
        f"  Redis          {state.redis_url}  ({state.redis_from})",
        f"  data and logs  {plan.home}",
        f'  try            {program} generate "a red fox at dawn" -o fox.png',
        f"  stop           Ctrl-C, or {program} dev down",
        "",
    )


def _program() -> str:
    """As it was called, where a bare name would not lead to it."""
    if shutil.which("genpulse"):
        return "genpulse"
    return "python -m genpulse" if Path(sys.argv[0]).name == "__main__.py" else shlex.quote(sys.argv[0])


def _of_tls(state: DevState) -> tuple[str, ...]:
    if not state.https_url:
        return ()
    return (f"  https          {state.https_url}     clients need {CA_VARIABLE}={state.ca_file}",)

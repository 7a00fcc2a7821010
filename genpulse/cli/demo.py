"""`genpulse demo`: from nothing to three files, and back to nothing but the files."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from genpulse.cli.dev.command import development, development_settings, stack_plan
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.console import console as new_console
from genpulse.cli.output.destination import destination
from genpulse.cli.output.file_names import described, target_of
from genpulse.cli.output.progress import Bars
from genpulse.cli.stack import HOME, api_key
from genpulse.configuration.sources.project import COMMITTED, packaged_defaults
from genpulse.dev.errors import DevStackError
from genpulse.dev.home import open_home
from genpulse.dev.plan import StackPlan
from genpulse.dev.processes.unprivileged import remove_home
from genpulse.dev.stack import running_stack
from genpulse.dev.state import read_state
from genpulse.dev.terminal.log_view import StackConsole
from genpulse_client import AsyncGenPulse

_FOLDER = "genpulse-demo"
_CONFIGURES = re.compile(r"GENPULSE_|DYNACONF_|.*_FOR_DYNACONF$")


@dataclass(frozen=True, slots=True)
class _Piece:
    name: str
    model: str
    input: Mapping[str, object]


_PIECES = (
    _Piece("picture", "sandbox/image", {"prompt": "a red fox at dawn"}),
    _Piece("video", "sandbox/video", {"prompt": "a lighthouse by the sea at sunset"}),
    _Piece("speech", "sandbox/speech", {"text": "GenPulse never loses a task, and never pays for one twice."}),
)


@click.command("demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_FOLDER,
    help=f"Folder for the three files. Default: {_FOLDER}",
)
@click.option("--here", is_flag=True, help="Use the stack of this project, and leave the tasks in it.")
def command(output: Path, here: bool) -> None:
    """Make a picture, a video and a spoken sentence from nothing.

    Brings up a private PostgreSQL, a Valkey, the API and a worker in a throw-away folder, submits three tasks
    through the HTTP API, saves what they made, and takes everything down again. Nothing that is configured is
    used.

    With --here it is the stack of this project, with its servers, its settings and its data: the one that runs, or
    one that is brought up for it and taken down again.
    """
    with destination(f"{output}{os.sep}", spared="Nothing was started."):
        if here:
            _in_project(output)
        else:
            _in_throw_away_folder(output)


def _in_throw_away_folder(output: Path) -> None:
    environment = development("genpulse demo").environment
    home = _throw_away_folder()
    inherited = {name: value for name, value in os.environ.items() if not _CONFIGURES.match(name)}
    variables = {
        "ENV": environment.name,
        "ENV_FOR_DYNACONF": environment.dynaconf,
        "GENPULSE_STORAGE__URL": (home / "storage").as_uri(),
    }
    plan = StackPlan(home=home, python=sys.executable, folder=home, environment={**inherited, **variables})
    try:
        _lay_out(home)
        asyncio.run(_until_interrupted(_demo(plan, output, None)))
    finally:
        remove_home(home)


def _throw_away_folder() -> Path:
    """Raises `CommandRefused` where there is no room for one."""
    try:
        return Path(tempfile.mkdtemp(prefix="genpulse-demo-"))
    except OSError as error:
        raise CommandRefused(
            f"No folder can be made for a while: {error}. Name a place for it in TMPDIR."
        ) from error


def _lay_out(home: Path) -> None:
    """Make it a project of its own, also where a folder above it is one."""
    (home / COMMITTED).parent.mkdir()
    shutil.copyfile(packaged_defaults(), home / COMMITTED)


def _in_project(output: Path) -> None:
    """Where the stack is up already it is used, and stays up."""
    settings = development_settings("genpulse demo --here")
    home = settings.root / HOME
    state = read_state(home)
    if state is not None:
        asyncio.run(_until_interrupted(_submit(state.api_url, output, api_key())))
        return
    plan = stack_plan(settings, home, settings.api.port)
    asyncio.run(_until_interrupted(_demo(plan, output, api_key())))


async def _until_interrupted(demo: Coroutine[Any, Any, None]) -> None:
    """Take everything down in order on SIGTERM too."""
    task = asyncio.create_task(demo)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
        return
    raise KeyboardInterrupt


async def _demo(plan: StackPlan, output: Path, key: str | None) -> None:
    console = new_console()
    open_home(plan.home)
    hear = StackConsole(plan.home / "logs", console, quiet=True)
    started = time.monotonic()
    console.print("Bringing up PostgreSQL, Redis, the API and a worker …")
    try:
        async with running_stack(plan, hear) as stack:
            console.print(f"Up after {time.monotonic() - started:.1f} s.")
            await _submit(stack.api_url, output, key)
            console.print(f"\nMade in {time.monotonic() - started:.1f} s. Taking everything down …")
    except DevStackError:
        _show_logs(plan.home / "logs", console)
        raise
    finally:
        hear.close()
    console.print("Next: genpulse dev, for the same stack to work with.")


async def _submit(api_url: str, output: Path, key: str | None) -> None:
    console = new_console()
    console.print(f"Submitting three tasks to {api_url}")
    files = await _make(api_url, output, key)
    console.print()
    for path, what in files:
        console.print(f"  {path}  ({what})", soft_wrap=True)


async def _make(api_url: str, output: Path, key: str | None) -> list[tuple[Path, str]]:
    async with AsyncGenPulse(api_url, key) as genpulse:
        with Bars() as bars:
            return await asyncio.gather(*(_piece(genpulse, bars, piece, output) for piece in _PIECES))


async def _piece(genpulse: AsyncGenPulse, bars: Bars, piece: _Piece, output: Path) -> tuple[Path, str]:
    bar = bars.follow(f"{piece.name:<8}")
    task = await genpulse.generate(piece.model, piece.input, on_event=bar)
    (asset,) = task.outputs
    path = target_of(output, piece.name, asset, 1, 1)
    try:
        await genpulse.download(asset, path)
    except OSError as error:
        raise CommandRefused(f"{path} could not be written: {error.strerror or error}.") from error
    return path, described(asset)


def _show_logs(folder: Path, console: Console) -> None:
    for file in sorted(folder.glob("*.log")):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        for line in lines:
            console.print(f"{file.stem}: {line}", markup=False, soft_wrap=True)

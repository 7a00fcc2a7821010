"""Destinations of outputs, checked before anything is paid."""

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.file_names import described, target_of
from genpulse.cli.output.terminal import say, say_json
from genpulse_client import AsyncGenPulse, GenPulseError, Task

STDOUT = "-"
output_option = click.option(
    "-o", "--output", metavar="PLACE", help="File or folder (a new one ends in /); - is standard output."
)
Saved: TypeAlias = Sequence[tuple[Path, str]]
"""Files, with what they are in words."""
_PROBE = bytes(1 << 16)
_ENDING = ".suffix"
"""As long as the ending that a name may get."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A folder that is there, and a name in it. No name is the task's own; no folder is standard output."""

    folder: Path | None
    name: str | None = None

    @property
    def path(self) -> Path:
        """The path of the destination, as `target_of` takes it."""
        folder = self.folder or Path()
        return folder / self.name if self.name else folder


@contextlib.contextmanager
def destination(output: str | None, *, spared: str) -> Iterator[Destination]:
    """The place that is meant by `-o`, once it is known that something can be written there.

    Nothing, or a folder that is there, or one that ends in a slash: a file with the task's own name in it. `-` is
    standard output. A file that is there is written over. Folders are made, and removed again where they stay
    empty. Raises `CommandRefused`, which ends in what is `spared` by that.
    """
    try:
        with _looked_at(output) as where:
            yield where
    except _Unfit as error:
        raise CommandRefused(f"{error} {spared}") from error


class _Unfit(Exception):
    """Nothing can be written there."""


@contextlib.contextmanager
def _looked_at(output: str | None) -> Iterator[Destination]:
    if output == STDOUT:
        if sys.stdout.isatty():
            raise _Unfit("-o - writes the bytes of a file, and standard output is a terminal: name a file.")
        yield Destination(None)
        return
    path = Path(output or ".")
    is_folder = (output or "").endswith(os.sep) or stat.S_ISDIR(_mode(path))
    folder, name = (path, None) if is_folder else (path.parent, path.name)
    _demand_a_file(path, is_folder=is_folder)
    new_folders: list[Path] = []
    try:
        _make(folder, new_folders)
        _probe(folder, name or "")
        yield Destination(folder, name)
    finally:
        for each in reversed(new_folders):
            with contextlib.suppress(OSError):
                each.rmdir()


def _demand_a_file(path: Path, *, is_folder: bool) -> None:
    """A pipe or a device would be replaced by a file."""
    mode = _mode(path)
    if mode and not (stat.S_ISREG(mode) or (is_folder and stat.S_ISDIR(mode))):
        raise _Unfit(f"{path} is no file and no folder: use -o - for standard output.")


def _mode(path: Path) -> int:
    """What is there; 0 for nothing, or what cannot be looked at."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _make(folder: Path, new_folders: list[Path]) -> None:
    """The folder, and those above it; each that was not there is noted. Raises `_Unfit`."""
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    for each in reversed(missing):
        try:
            each.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise _Unfit(f"The folder {each} cannot be made: {error.strerror}. Name another with -o.") from error
        new_folders.append(each)


def _probe(folder: Path, name: str) -> None:
    """Write a little under a name as long as the one that is used while a file comes. Raises `_Unfit`."""
    try:
        number, path = tempfile.mkstemp(prefix=f".{name}{_ENDING}.", dir=folder)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(_PROBE)
        finally:
            Path(path).unlink()
    except OSError as error:
        there = f"{folder / name}" if name else f"The folder {folder}"
        raise _Unfit(f"{there} cannot be written: {error.strerror}. Name another place with -o.") from error


async def save_outputs(client: AsyncGenPulse, task: Task, where: Destination, name: str) -> Saved:
    """Write all outputs; returns the files and what they are. Raises `CommandRefused`, with how to get them."""
    saved: list[tuple[Path, str]] = []
    try:
        if where.folder is None:
            await _to_stdout(client, task)
            return saved
        for number, asset in enumerate(task.outputs, 1):
            target = target_of(where.path, f"{name}-{task.id[-6:]}", asset, number, len(task.outputs))
            saved.append((await client.download(asset, target), described(asset)))
    except (OSError, GenPulseError) as error:
        raise CommandRefused(_kept(task, where, saved, error)) from error
    return saved


async def _to_stdout(client: AsyncGenPulse, task: Task) -> None:
    """Raises `CommandRefused` for several outputs, which nobody could tell apart."""
    if len(task.outputs) != 1:
        raise CommandRefused(
            f"Task {task.id} has made {len(task.outputs)} outputs, and standard output takes one. Get them:"
            f" genpulse tasks save {task.id} -o FOLDER/"
        )
    async for chunk in client.read(task.outputs[0]):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _kept(task: Task, where: Destination, saved: Saved, error: Exception) -> str:
    place = "standard output" if where.folder is None else str(where.path)
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    some = f" Saved so far: {', '.join(str(path) for path, _ in saved)}." if saved else ""
    return (
        f"{place} could not be written: {words.rstrip('.')}.{some} Task {task.id} has succeeded, and its outputs"
        f" are kept. Get them: genpulse tasks save {task.id} -o PLACE"
    )


def tell_saved(task: Task, saved: Saved, *, as_json: bool) -> None:
    """The files, a line for each, or the task with their names."""
    if as_json:
        say_json({**task.document, "files": [str(path) for path, _ in saved]})
        return
    for path, what in saved:
        say(f"{path}  ({what})")

"""Writing what was planned and shown."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from genpulse.branching.files.errors import FileInTheWay
from genpulse.branching.files.hooks import leave_hooks, reach_hooks
from genpulse.branching.files.planned import PlannedFile, compared, inside

_FILE, _PROGRAM = 0o644, 0o755


def write(folder: Path, plan: Sequence[PlannedFile], environment: Mapping[str, str] = os.environ) -> None:
    """Write what differs, each file whole or not at all, and do what `hooks_step` says.

    Nothing is written when a file changed since it was planned: its difference was not shown. Raises
    `FileInTheWay`, `GitFailed`.
    """
    _put_all(folder, plan, "genpulse flow install")
    reach_hooks(folder, environment)


def remove(folder: Path, plan: Sequence[PlannedFile], environment: Mapping[str, str] = os.environ) -> None:
    """Take back what `write` did, where it is as it was shown. Raises `FileInTheWay`, `GitFailed`."""
    _put_all(folder, plan, "genpulse flow uninstall")
    leave_hooks(folder, environment)


def _put_all(folder: Path, plan: Sequence[PlannedFile], again: str) -> None:
    for file in plan:
        if compared(folder, file.path, file.content).diff != file.diff:
            raise FileInTheWay(f"{file.path} changed after its difference was shown.", again)
    for file in plan:
        _put(folder, file)


def _put(folder: Path, file: PlannedFile) -> None:
    path = inside(folder, file.path)
    mode = _PROGRAM if file.program else _FILE
    try:
        if file.diff and file.content is None:
            _unlink(path, folder)
        elif file.diff and file.content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path.resolve(), file.content, mode)
        elif file.program:
            path.chmod(mode)
    except OSError as error:
        finding = f"{file.path} cannot be written: {error.strerror}."
        raise FileInTheWay(finding, note="Give yourself the right to write there, then run it again.") from error


def _unlink(path: Path, folder: Path) -> None:
    """The file, and the folders that are empty then."""
    path.unlink()
    for above in path.parents:
        if above == folder or any(above.iterdir()):
            return
        above.rmdir()


def _replace(path: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

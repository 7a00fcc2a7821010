"""Findings about this machine: Python, programs, libraries, disk space."""

import importlib.util
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genpulse.cli.doctor.finding import Finding, warning, well, wrong
from genpulse.configuration.settings import Settings
from genpulse.dev.errors import BinaryMissing
from genpulse.dev.servers.binaries import postgres_binaries, redis_binary
from genpulse.wiring.storage import SpoolContents, waiting_streams

_OLDEST = (3, 11)
_SANDBOX = ("numpy", "PIL", "av", "hibari")
_LITTLE = 1 << 30
_NONE = 100 << 20


def python() -> Finding:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST:
        return wrong("Python", version, f"install {'.'.join(map(str, _OLDEST))} or newer")
    return well("Python", version)


def programs() -> Iterator[Finding]:
    """Servers that `genpulse dev` could start."""
    yield _program("PostgreSQL program", lambda: postgres_binaries().origin)
    yield _program("Redis program", lambda: redis_binary().origin)


def _program(name: str, find: Callable[[], str]) -> Finding:
    try:
        return well(name, find())
    except BinaryMissing as error:
        return well(name, f"none, so that genpulse dev needs a running server. {error}")


def sandbox() -> Finding:
    """The libraries of the provider that needs no account."""
    missing = [name for name in _SANDBOX if importlib.util.find_spec(name) is None]
    if missing:
        return warning("sandbox", f"{', '.join(missing)} not installed", "pip install 'genpulse[sandbox]'")
    return well("sandbox", "its libraries are installed")


def project_folder(folder: Path) -> Finding:
    """Whether genpulse dev could keep its data in it."""
    if os.access(folder, os.W_OK | os.X_OK):
        return well("project folder", f"{folder} can be written")
    advice = "run genpulse in a folder that you may write, or name running servers and a storage elsewhere"
    return warning("project folder", f"{folder} cannot be written: genpulse dev keeps its data there", advice)


def disks(settings: Settings) -> Iterator[Finding]:
    """Space where assets are kept and where streams wait until they are; each disk once."""
    seen: set[int] = set()
    for what, folder in _folders(settings):
        there = _nearest(folder)
        if there.stat().st_dev not in seen:
            seen.add(there.stat().st_dev)
            yield _disk(what, folder, shutil.disk_usage(there).free)


def waiting(settings: Settings) -> Iterator[Finding]:
    """Findings about local files that wait to be stored, and those that killed processes left there."""
    try:
        streams = waiting_streams(settings)
    except OSError as error:
        yield wrong("waiting streams", f"they cannot be looked at: {error}")
        return
    living, leftovers = ([each for each in streams if each.is_living is lives] for lives in (True, False))
    yield well("waiting streams", f"{_amount(living)}, of running processes")
    if own := [each for each in leftovers if each.is_own and each.files]:
        detail = f"{_amount(own)} in {own[0].folder.parent} of processes that were killed"
        yield warning("waiting streams", detail, "the next start of an api or a worker removes them")
    if others := [each for each in leftovers if not each.is_own and each.files]:
        detail = f"{_amount(others)} of killed processes that kept elsewhere than storage.url says"
        folders = " ".join(shlex.quote(str(each.folder)) for each in others)
        yield well("waiting streams", f"{detail}: their next start removes them, or rm -r {folders}")


def _amount(streams: Sequence[SpoolContents]) -> str:
    files, size = sum(each.files for each in streams), sum(each.size for each in streams)
    return f"{files} {'file' if files == 1 else 'files'} ({size / 1e6:.1f} MB)"


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    storage = urlsplit(settings.storage_url)
    if storage.scheme == "file":
        yield "assets", Path(unquote(storage.path))
    yield "waiting streams", settings.storage.spool_dir or Path(tempfile.gettempdir())


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _disk(what: str, folder: Path, free: int) -> Finding:
    detail = f"{free / 1e9:.1f} GB free for {what} in {folder}"
    if free < _NONE:
        return wrong("disk", detail, "make room: nothing can be stored")
    if free < _LITTLE:
        return warning("disk", detail, "make room before it is full")
    return well("disk", detail)

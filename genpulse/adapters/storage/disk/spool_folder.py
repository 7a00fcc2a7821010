"""The spool folder of one process, and the removal of what killed processes left."""

import errno
import fcntl
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from genpulse.adapters.storage.errors import disk_errors

_PREFIX = "genpulse-spool-"
_MARK_LETTERS = 8
_OPENING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpoolContents:
    """What lies in the folder of one process. `size` is in bytes.

    `is_living`: its process lives, or that cannot be told. `is_own`: it is of this installation.
    """

    folder: Path
    files: int
    size: int
    is_living: bool
    is_own: bool


class SpoolFolder:
    """A folder of this process alone, below `parent` or the system's temporary folder, made when it is needed.

    A lock on the folder says that its process lives, and the system takes it back however the process ends. Ids
    of processes would not do: they are given again, and in two containers two processes have the same. Folders of
    other users are never touched, nor those of another `installation`: whatever text tells it from this one.
    """

    def __init__(self, parent: Path | None, installation: str) -> None:
        self._parent_setting = parent
        self._prefix = f"{_PREFIX}{hashlib.sha256(installation.encode()).hexdigest()[:_MARK_LETTERS]}-"
        self._changing = threading.Lock()
        self._own: _Locked | None = None

    @contextmanager
    def file(self) -> Iterator[IO[bytes]]:
        """A file that is gone afterwards. Raises `StorageFull`, `StorageUnavailable`."""
        with disk_errors("open a spool file"):
            file = self._open_file()
        try:
            with file:
                yield file
        finally:
            Path(file.name).unlink(missing_ok=True)

    def contents(self) -> tuple[SpoolContents, ...]:
        """The contents of the folders of all processes of this user, sorted by folder. Raises `OSError`."""
        looked = (_look(folder, self._prefix) for folder in sorted(self._parent.glob(f"{_PREFIX}*")))
        return tuple(waiting for waiting in looked if waiting is not None)

    def sweep(self) -> None:
        """Remove what processes of this installation left that were killed, and empty folders of others.

        What cannot be removed is logged.
        """
        try:
            leftovers = [
                each for each in self.contents() if not each.is_living and (each.is_own or not each.files)
            ]
        except OSError as error:
            _log.warning("what killed processes may have left on this disk cannot be looked for: %s", error)
            return
        for waiting in leftovers:
            try:
                _remove(waiting)
            except FileNotFoundError:
                # Another process that started at the same time has removed it.
                continue
            except OSError as error:
                _log.warning("what a killed process left in %s stays there: %s", waiting.folder, error)

    def close(self) -> None:
        """Give the folder back. One in which a thread still writes stays locked until the process ends."""
        with self._changing:
            own, self._own = self._own, None
        if own is not None:
            with suppress(OSError):
                own.path.rmdir()
                os.close(own.descriptor)

    @property
    def _parent(self) -> Path:
        """Where there is no temporary folder at all, that is known when one is needed. Raises `OSError`."""
        return self._parent_setting or Path(tempfile.gettempdir())

    def _open_file(self) -> IO[bytes]:
        for _ in range(_TRIES - 1):
            with suppress(FileNotFoundError):
                return self._file()
            # What clears the system's folder has taken it away.
            self._forget()
        return self._file()

    def _file(self) -> IO[bytes]:
        with self._changing:
            if self._own is None:
                self._parent.mkdir(parents=True, exist_ok=True)
                self._own = _make(self._parent, self._prefix)
            return tempfile.NamedTemporaryFile(prefix="", dir=self._own.path, delete=False)

    def _forget(self) -> None:
        with self._changing:
            own, self._own = self._own, None
        if own is not None:
            os.close(own.descriptor)


@dataclass(frozen=True, slots=True)
class _Locked:
    path: Path
    descriptor: int


def _make(parent: Path, prefix: str) -> _Locked:
    """Raises `FileNotFoundError` where another process sweeps it away in the moment before it is locked."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    descriptor = os.open(path, _OPENING)
    try:
        _lock(path, descriptor)
        path.stat()
    except BaseException:
        os.close(descriptor)
        raise
    return _Locked(path, descriptor)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        # Somebody looks at it or sweeps it, and may be frozen meanwhile: that is not waited for.
        raise FileNotFoundError(errno.ENOENT, "it is being swept", str(path)) from error
    except OSError as error:
        # Nobody else can lock it either, so that nobody takes it for one that was left.
        _log.warning(
            "%s cannot be locked (%s): if this process is killed, what waits there is not removed by the next one."
            " Let storage.spool_dir name a folder on a local disk.",
            path,
            error.strerror,
        )


def _look(folder: Path, own_prefix: str) -> SpoolContents | None:
    """The content of a spool folder; None for one of another user, and one that is removed meanwhile."""
    with suppress(OSError), _open_folder(folder) as descriptor:
        if os.fstat(descriptor).st_uid != os.geteuid():
            return None
        is_living = not _takes_lock(descriptor)
        with os.scandir(descriptor) as entries:
            sizes = [entry.stat(follow_symlinks=False).st_size for entry in entries]
        return SpoolContents(folder, len(sizes), sum(sizes), is_living, folder.name.startswith(own_prefix))
    return None


def _remove(waiting: SpoolContents) -> None:
    """Raises `OSError`."""
    with _open_folder(waiting.folder) as descriptor:
        if not _takes_lock(descriptor):
            return
        if waiting.is_own:
            _empty(descriptor)
        waiting.folder.rmdir()
    if not waiting.files:
        return
    _log.info(
        "removed what a killed process had left in %s: %d files of %d bytes",
        waiting.folder,
        waiting.files,
        waiting.size,
    )


def _empty(descriptor: int) -> None:
    with os.scandir(descriptor) as entries:
        for entry in entries:
            os.unlink(entry.name, dir_fd=descriptor)


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    """Open a folder; a lock that is taken by the descriptor ends with it."""
    descriptor = os.open(folder, _OPENING)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _takes_lock(descriptor: int) -> bool:
    """Take the lock of a folder if no process holds it; returns whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

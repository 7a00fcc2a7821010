"""What a disk or a store says, in the words of the house."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from genpulse.domain.errors import StorageFull, StorageLost, StorageUnavailable
from genpulse.domain.text import storable_line

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BUSY = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ETIMEDOUT}
"""Says something about this process or this moment, and nothing about the file."""
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_OUT_OF_RANGE = re.compile(r"invalid ?range|range .*(invalid|not satisfiable)|\b416\b", re.IGNORECASE)


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """For the local disk. `what` was about to be done, such as `write the spool file`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"There is no space left to {what}.") from error
        raise StorageUnavailable(f"It was not possible to {what}: {error.strerror or error}.") from error


@contextmanager
def source_errors(name: str) -> Iterator[None]:
    """For a file that somebody else has made: one that cannot be read now is not waited for."""
    try:
        yield
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        words = f"The file {storable_line(name, 100)!r} cannot be read: {storable_line(said)}."
        if isinstance(error, OSError) and error.errno in _BUSY:
            raise StorageUnavailable(words) from error
        raise StorageLost(words) from error


@contextmanager
def object_errors() -> Iterator[None]:
    """For obstore, whose own errors hold paths and addresses that are nobody else's business."""
    try:
        yield
    except FileNotFoundError as error:
        raise StorageUnavailable(
            "The storage is not where it was: its folder or its bucket cannot be found."
        ) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise StorageUnavailable("The storage refuses access; its keys or permissions need attention.") from error
    except (BaseError, OSError) as error:
        if _system_errors(error) & _FULL:
            raise StorageFull("There is no space left in the storage.") from error
        raise StorageUnavailable("The storage does not answer, or cannot read or write its files.") from error


def is_missing(error: Exception) -> bool:
    """Whether there is nothing under the key that was asked for."""
    return isinstance(error, FileNotFoundError) or errno.ENOTDIR in _system_errors(error)


def may_be_lost(error: Exception) -> bool:
    """Whether a read failed in a way that another look at the object can explain."""
    return is_missing(error) or _OUT_OF_RANGE.search(str(error)) is not None


def _system_errors(error: Exception) -> set[int]:
    """obstore keeps the system's error number in the text alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return {error.errno}
    return {int(number) for number in _OS_ERROR.findall(str(error))}

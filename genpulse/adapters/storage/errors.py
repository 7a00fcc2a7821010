"""What a disk or a store says, in the words of the house."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from genpulse.domain.errors import StorageFull, StorageUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


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
def object_errors() -> Iterator[None]:
    """For obstore, whose own errors hold paths and addresses that are nobody else's business."""
    try:
        yield
    except FileNotFoundError as error:
        raise StorageUnavailable("The bytes of this asset are gone from the storage.") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise StorageUnavailable("The storage refuses access; its keys or permissions need attention.") from error
    except (BaseError, OSError) as error:
        if _is_full(error):
            raise StorageFull("There is no space left in the storage.") from error
        raise StorageUnavailable("The storage does not answer, or cannot read or write its files.") from error


def _is_full(error: Exception) -> bool:
    """obstore keeps the system's error number in the text alone."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    found = _OS_ERROR.search(str(error))
    return found is not None and int(found[1]) in _FULL

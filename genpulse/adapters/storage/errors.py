"""Mapping of disk and object-store errors to domain errors."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from genpulse.adapters.storage.unreached import why_not_reached
from genpulse.addresses.proxies import Proxy
from genpulse.domain.errors import StorageFull, StorageLost, StorageUnavailable
from genpulse.domain.text.storable import storable_line

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BUSY = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ETIMEDOUT}
"""Says something about this process or this moment, and nothing about the file."""
_NO_FILE = {errno.ENOTDIR, errno.EISDIR}
_CODE = re.compile(r"<Code>\s*([\w.]{1,60})\s*</Code>")
_MESSAGE = re.compile(r"<Message>(.{1,500}?)</Message>", re.DOTALL)
_REDIRECTED = "incorrectly configured region"
"""What obstore says of a redirect that leads nowhere."""
_FULL_CODES = frozenset({"XMinioStorageFull", "QuotaExceeded", "QuotaExceededException", "InsufficientStorage"})
_TO_DO = {
    "RequestTimeTooSkewed": "this machine's clock and its own are too far apart; let both follow a time server",
    "NoSuchBucket": "it has no such bucket; create it, or mend the name in storage.url",
    "PermanentRedirect": "the bucket lies elsewhere; mend storage.region or storage.endpoint",
    "AuthorizationHeaderMalformed": "the region is another one; mend storage.region",
    "IllegalLocationConstraintException": "the region is another one; mend storage.region",
    "InvalidAccessKeyId": "it does not know storage.access_key_id",
    "SignatureDoesNotMatch": "storage.secret_access_key is not that of the key",
    "AccessDenied": "the key may not do that; it needs to get, put and delete objects",
    "SlowDown": "it is asked too often; it is asked again",
}
"""What to do about a code of S3 (Amazon's list of error responses; MinIO's own begin with X)."""
_PANIC = "PanicException"
"""Of a library in Rust, by pyo3: a `BaseException` without a class that could be imported."""
_STORAGE = "the storage"
_NO_CONNECTION = ("kind: Connect", "kind: Timeout")
"""What obstore says where there was no connection, which with a proxy is one to it."""
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
        reason = getattr(error, "strerror", None) or str(error)
        words = f"The file {storable_line(name, 100)!r} cannot be read: {storable_line(reason)}."
        if isinstance(error, OSError) and error.errno in _BUSY:
            raise StorageUnavailable(words) from error
        raise StorageLost(words) from error


@contextmanager
def object_errors(proxy: Proxy | None = None) -> Iterator[None]:
    """For obstore, whose own errors hold paths and addresses that are nobody else's business.

    `proxy`: the one by which the store is reached.
    """
    try:
        yield
    except (BaseError, OSError) as error:
        answer = store_answer(error)
        if _system_errors(error) & _FULL or answer.code in _FULL_CODES:
            raise StorageFull(f"There is no space left in the storage{answer}.") from error
        raise StorageUnavailable(f"{_by_proxy(error, proxy) or _sentence(error, answer)}.") from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise StorageUnavailable(
            f"The client of the storage has failed ({storable_line(str(error), 200)}); look for odd signs in"
            " storage.url, storage.endpoint and the AWS_… variables of the process, which it reads as well."
        ) from error


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """The error response of an S3 store: code and message, empty where it gave none."""

    code: str = ""
    words: str = ""

    def __str__(self) -> str:
        return f" ({self.code}: {self.words})" if self.code else ""


def store_answer(error: BaseException) -> StoreAnswer:
    """The error response of the store, which obstore keeps in the text of its error alone."""
    text = str(error)
    code, words = _CODE.search(text), _MESSAGE.search(text)
    if _REDIRECTED in text:
        return StoreAnswer("PermanentRedirect", "it answers with a redirect")
    if code is None:
        return StoreAnswer()
    return StoreAnswer(code[1], storable_line(words[1].strip() if words else "no words", 200))


def silence(seconds: float, proxy: Proxy | None) -> str:
    """The message about a store that did not respond in time."""
    why = f"no answer within {seconds:g} s"
    return proxy.absence(_STORAGE, why) if proxy is not None else why


def _by_proxy(error: Exception, proxy: Proxy | None) -> str:
    """The message about an error of the proxy before the store; empty for errors of the store.

    obstore tells of the proxy in the text of its error alone.
    """
    text = str(error)
    if proxy is None or "certificate" in text.lower():
        return ""
    if "ProxyAuthRequired" in text or "status: 407" in text:
        return _sentence_of(proxy.refusal(_STORAGE, 407, "Proxy Authentication Required"))
    if "TunnelUnsuccessful" in text:
        return _sentence_of(proxy.absence(_STORAGE, "it refused the connection"))
    if any(sign in text for sign in _NO_CONNECTION):
        return _sentence_of(proxy.absence(_STORAGE, "it cannot be connected to, or did not answer"))
    return ""


def _sentence_of(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _sentence(error: Exception, answer: StoreAnswer) -> str:
    if answer.code in _TO_DO:
        return f"The storage refuses: {_TO_DO[answer.code]}{answer}"
    if isinstance(error, FileNotFoundError):
        return f"The storage is not where it was: its folder or its bucket cannot be found{answer}"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return f"The storage refuses access; its keys or permissions need attention{answer}"
    return why_not_reached(error) or f"The storage does not answer, or cannot read or write its files{answer}"


def is_missing(error: Exception) -> bool:
    """Whether there is nothing under the key that was asked for."""
    return isinstance(error, FileNotFoundError) or bool(_system_errors(error) & _NO_FILE)


def may_be_lost(error: Exception) -> bool:
    """Whether a read failed in a way that another look at the object can explain."""
    return is_missing(error) or _OUT_OF_RANGE.search(str(error)) is not None


def _system_errors(error: Exception) -> set[int]:
    """obstore keeps the system's error number in the text alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return {error.errno}
    return {int(number) for number in _OS_ERROR.findall(str(error))}

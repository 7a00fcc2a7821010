"""Blocking calls on whole objects: a folder, memory, S3, GCS or Azure."""

import errno
import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import LocalStore, MemoryStore, S3Store

from genpulse.adapters.storage.deletion import delete
from genpulse.adapters.storage.disk.checked_files import CheckedFiles, Identity, identity_of
from genpulse.adapters.storage.disk.folder import put_file, reach_the_disk, remove_staged
from genpulse.adapters.storage.errors import is_missing, may_be_lost
from genpulse.adapters.storage.object_writer import END, Fingerprint, ObjectWriter
from genpulse.adapters.storage.opening import UPLOAD_S, open_store, proxy_of
from genpulse.adapters.storage.unfinished import UnfinishedUploads
from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.domain.assets.asset import Buffered, Spooled
from genpulse.domain.errors import StorageLost, StorageUnavailable

if TYPE_CHECKING:
    from obstore import Attributes

PROBE_KEY = "probe"

PART = 5 << 20
"""As small as S3 lets a part be."""
PARTS_AT_ONCE = 4
_PIECE = 2 << 20
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)
"""Linux alone reads only what is in memory where it is told to."""
_UNKNOWN = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""What file systems say that cannot, or a Linux before 4.14."""

OTHER_BYTES = "The bytes of this asset are not those that were kept."


class Bucket:
    """The objects of a store. All methods raise `StorageUnavailable` and errors of obstore; see `object_errors`.

    Raises `ValueError` for a URL or options that no store takes, `StorageUnavailable` where the folder cannot be.
    """

    def __init__(self, url: str, options: dict[str, str], *, proxies: Proxies = NO_PROXIES) -> None:
        self._store = open_store(url, options, proxies=proxies)
        self.is_here = isinstance(self._store, LocalStore | MemoryStore)
        self._uploads = (
            self._store if self.is_here else open_store(url, options, request_s=UPLOAD_S, proxies=proxies)
        )
        self.proxy = None if self.is_here else proxy_of(self._store, proxies)
        self._folder = Path(self._store.prefix or "/") if isinstance(self._store, LocalStore) else None
        self._checked = CheckedFiles()
        self._nowait = _NOWAIT
        self._proxies = proxies
        self._is_marked = False

    def put(self, key: str, content: Spooled | Buffered, media_type: str) -> None:
        """Keep content under its key, if it is not there as a whole. It is there as a whole when this returns."""
        self._leave_mark()
        expected = _fingerprint(content)
        is_there = self._has(key, expected)
        if self._folder is None or isinstance(content, Buffered):
            if not is_there:
                self._put_object(key, content, expected, media_type)
        elif is_there:
            reach_the_disk(self._folder, key)
        else:
            put_file(self._folder, key, content.path)
            if identity := self.identity(key):
                self._checked.note(key, content.sha256, identity)

    def open_writer(self, key: str, media_type: str) -> ObjectWriter:
        """Begin an object whose bytes are not all here."""
        self._leave_mark()
        writer = obstore.open_writer(
            self._uploads,
            key,
            attributes=self._attributes(media_type),
            buffer_size=PART,
            max_concurrency=PARTS_AT_ONCE,
        )
        return ObjectWriter(key, writer)

    def close_writer(self, writer: ObjectWriter) -> Fingerprint:
        """End the object. It is there as a whole when this returns."""
        try:
            expected = writer.close()
        except (BaseError, OSError):
            if not self._is_kept(writer.key, writer.fingerprint):
                raise
            return writer.fingerprint
        self._demand(writer.key, expected)
        return expected

    def part(self, key: str, start: int, end: int, *, sha256: str = "") -> bytes:
        """The bytes from `start` up to but not including `end`; with `sha256` all, which have this digest.

        Raises `StorageLost`, too.
        """
        try:
            part, identity = self._read(key, start, end)
        except (BaseError, OSError) as error:
            if may_be_lost(error):
                self._look_again(key, end)
            raise
        if len(part) != end - start:
            self._look_again(key, end)
            raise StorageUnavailable(
                f"The bytes of this asset are incomplete: {end - start:,} were asked for, {len(part):,} came."
            )
        if sha256:
            self._compare(key, part, sha256, identity)
        return part

    def _read(self, key: str, start: int, end: int) -> tuple[bytes, Identity | None]:
        """Less where there is less. Of a folder it takes a fifth of what the store needs for it."""
        if self._folder is None:
            return bytes(obstore.get_range(self._store, key, start=start, end=end)), None
        descriptor = os.open(self._folder / key, os.O_RDONLY | os.O_CLOEXEC)
        try:
            identity = identity_of(descriptor)
            return os.pread(descriptor, end - start, start), identity
        finally:
            os.close(descriptor)

    def part_at_once(self, key: str, start: int, end: int, *, sha256: str = "") -> bytes | None:
        """The same without waiting for a disk: of a file that was compared lately and is in memory, else None.

        It takes a fifth of what it takes to ask a thread.
        """
        if self._folder is None or not self._nowait or not self._checked.knows(key):
            return None
        try:
            # Joined as text, since a path takes as long as all else here.
            descriptor = os.open(f"{self._folder}/{key}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # who reads it in a thread learns why
            return None
        try:
            if sha256 and not self._checked.holds(key, sha256, identity_of(descriptor)):
                return None
            body = bytearray(end - start)
            return bytes(body) if os.preadv(descriptor, [body], start, self._nowait) == len(body) else None
        except OSError as error:
            if error.errno in _UNKNOWN:
                self._nowait = 0  # such a file system may wait to open one, too
            return None
        finally:
            os.close(descriptor)

    def _compare(self, key: str, whole: bytes, sha256: str, identity: Identity | None) -> None:
        if identity is not None and self._checked.holds(key, sha256, identity):
            return
        if hashlib.sha256(whole).hexdigest() != sha256:
            raise StorageLost(OTHER_BYTES)
        if identity is not None:
            self._checked.note(key, sha256, identity)

    def checked_file(self, key: str, sha256: str) -> tuple[BinaryIO, Identity] | None:
        """The file itself, where it was compared with its digest here lately; the caller closes it."""
        if self._folder is None:
            return None
        try:
            file = (self._folder / key).open("rb", buffering=0)
        except OSError:  # who reads it learns why
            return None
        identity = identity_of(file.fileno())
        if self._checked.holds(key, sha256, identity):
            return file, identity
        file.close()
        return None

    def identity(self, key: str) -> Identity | None:
        """Of the file under `key`; None where there is no folder, or no such file."""
        if self._folder is None:
            return None
        with suppress(OSError):
            return identity_of(self._folder / key)
        return None

    def note_checked(self, key: str, sha256: str, identity: Identity) -> None:
        """All of the file was read and has this digest; it counts where it is still the one that it was."""
        if self.identity(key) == identity:
            self._checked.note(key, sha256, identity)

    def remove(self, keys: list[str]) -> None:
        """Forget what is under these keys; what is gone already is no error."""
        if self._folder is not None:
            remove_staged(self._folder, keys)
        delete(self._store, keys, proxies=self._proxies)

    def abort_unfinished(self, before: datetime) -> int:
        """Let a store of the kind of S3 forget uploads that began before and never ended; returns how many."""
        if not isinstance(self._store, S3Store):
            return 0
        return UnfinishedUploads(self._store, self._proxies).abort(before)

    def write_probe(self) -> None:
        """Leave the mark by which this place is known again."""
        obstore.put(self._store, PROBE_KEY, b"genpulse was here\n")

    def _leave_mark(self) -> None:
        if not self._is_marked:
            self.write_probe()
            self._is_marked = True

    def _put_object(self, key: str, content: Spooled | Buffered, expected: Fingerprint, media_type: str) -> None:
        try:
            obstore.put(
                self._uploads,
                key,
                content.body if isinstance(content, Buffered) else content.path,
                attributes=self._attributes(media_type),
                chunk_size=PART,
                max_concurrency=PARTS_AT_ONCE,
            )
        except (BaseError, OSError):
            if not self._is_kept(key, expected):
                raise
            return
        self._demand(key, expected)

    def _attributes(self, media_type: str) -> "Attributes | None":
        return None if isinstance(self._store, MemoryStore) else {"Content-Type": media_type}

    def _has(self, key: str, expected: Fingerprint) -> bool:
        """Whether the object is complete and undamaged; a damaged one is put again.

        Also where the key may put and get and not list: then what is not there is forbidden to look at.
        """
        try:
            return not self._lack(key, expected) and self._sha256(key, expected.size) == expected.sha256
        except PermissionDeniedError:
            return False

    def _is_kept(self, key: str, expected: Fingerprint) -> bool:
        """Whether the object is complete although the upload failed or got no response."""
        try:
            return self._has(key, expected)
        except (BaseError, OSError):
            return False

    def _demand(self, key: str, expected: Fingerprint) -> None:
        """Raises `StorageUnavailable` where the object is not what the store said that it has kept."""
        if lack := self._lack(key, expected):
            raise StorageUnavailable(f"The storage said that it has kept {expected.size:,} bytes, and {lack}.")

    def _lack(self, key: str, expected: Fingerprint) -> str:
        """How an object differs from what it has to be in its size or its last bytes; empty where it does not.

        What is asked is what a key may do that gets and puts. A store that has lost a part, or kept a half, or was
        full in the middle, is found out by this, whichever checksums it knows.
        """
        try:
            size, end = self._end(key, expected.size)
        except FileNotFoundError:
            return "has nothing"
        except (BaseError, OSError) as error:
            if not may_be_lost(error):
                raise
            size, end = obstore.head(self._store, key)["size"], b""
        if size != expected.size:
            return f"has {size:,}"
        return "" if end == expected.end else "its last bytes are others"

    def _end(self, key: str, size: int) -> tuple[int, bytes]:
        if not size:
            return obstore.head(self._store, key)["size"], b""
        part = obstore.get(self._store, key, options={"range": (max(0, size - END), size)})
        return part.meta["size"], bytes(part.bytes())

    def _sha256(self, key: str, size: int) -> str:
        """The digest of an object, read in pieces that fit into the time of a request on a slow line."""
        digest = hashlib.sha256()
        for start in range(0, size, _PIECE):
            digest.update(bytes(obstore.get_range(self._store, key, start=start, end=min(start + _PIECE, size))))
        return digest.hexdigest()

    def _look_again(self, key: str, end: int) -> None:
        """Raises `StorageLost` where the object ends before `end`, or is gone from a storage that is there."""
        try:
            size = obstore.head(self._store, key)["size"]
        except (BaseError, OSError) as error:
            if not is_missing(error):
                raise
            self._find_mark()
            raise StorageLost("The bytes of this asset are gone from the storage.") from error
        if size < end:
            raise StorageLost(f"The bytes of this asset are cut off: {size:,} are left, {end:,} were kept.")

    def _find_mark(self) -> None:
        """Nothing is gone for ever from a disk that is not mounted, or from a bucket that is another one."""
        try:
            obstore.head(self._store, PROBE_KEY)
        except FileNotFoundError as error:
            raise StorageUnavailable(
                f"The storage holds nothing, not even {PROBE_KEY!r}, which is written there before anything else:"
                " is its disk mounted, is it the right bucket?"
            ) from error


def _fingerprint(content: Spooled | Buffered) -> Fingerprint:
    """Raises `OSError`."""
    if isinstance(content, Buffered):
        return Fingerprint(content.size, content.sha256, content.body[-END:])
    with content.path.open("rb") as file:
        file.seek(max(0, content.size - END))
        return Fingerprint(content.size, content.sha256, file.read())

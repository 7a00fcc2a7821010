"""An object on its way into a store, piece by piece, and what it has to be once it is there."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obstore import WritableFile

END = 64 << 10
"""Bytes at the end of an object that are read back."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an object has to be: its size in bytes, its digest, and its last bytes, `END` of them."""

    size: int
    sha256: str
    end: bytes


class ObjectWriter:
    """Blocking calls, one at a time: a few parts are on their way at once, and more are waited for.

    All raise errors of obstore.
    """

    def __init__(self, key: str, writer: "WritableFile") -> None:
        self.key = key
        self._writer = writer
        self._digest = hashlib.sha256()
        self._size = 0
        self._end = b""

    def write(self, piece: bytes) -> None:
        """Go on by these bytes."""
        self._writer.write(piece)
        self._digest.update(piece)
        self._size += len(piece)
        self._end = (piece if len(piece) >= END else self._end + piece)[-END:]

    def close(self) -> Fingerprint:
        """End the object, which is seen from then on."""
        self._writer.close()
        return self.fingerprint

    @property
    def fingerprint(self) -> Fingerprint:
        """What was written."""
        return Fingerprint(self._size, self._digest.hexdigest(), self._end)

    def abort(self) -> None:
        """Let the object not be, and the store forget its parts."""
        reason = InterruptedError()
        self._writer.__exit__(type(reason), reason, None)

"""Files that come packed (`Content-Encoding`), though nobody has asked for it, and those that only say so."""

import zlib
from collections.abc import AsyncIterator, Iterator

from genpulse.provider.http import AnswerLost

_PIECE = 1 << 20
_GZIP, _ZLIB, _DEFLATE = 31, 15, -15
"""What zlib calls a gzip file, its own format, and the bare stream that some servers send as `deflate`."""
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_UNKNOWN = frozenset({"br", "zstd", "compress", "x-compress"})
_MAGIC = b"\x1f\x8b"


async def unpacked(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """The content itself, in pieces. What says that it is packed and is not by its first bytes comes as it is.

    Raises `AnswerLost` for what ends in its middle, and for a way of packing that nobody has asked for.
    """
    encoding_name = encoding.strip().lower()
    if encoding_name in _UNKNOWN:
        raise AnswerLost(f"the file is packed as {encoding_name}, which was not asked for")
    unpacking: _Unpacking | None = None
    begin = b""
    async for chunk in chunks:
        if unpacking is None and len(begin := begin + chunk) >= len(_MAGIC):
            unpacking, chunk, begin = _Unpacking(_format(encoding_name, begin)), begin, b""
        if unpacking is not None:
            for piece in unpacking.pieces(chunk):
                yield piece
    if begin:
        yield begin
    if unpacking is not None:
        unpacking.finish()


def _format(encoding: str, begin: bytes) -> int | None:
    """The format of content that begins with these bytes; None where it is not compressed."""
    if encoding not in _PACKED:
        return None
    if encoding != "deflate":
        return _GZIP if begin.startswith(_MAGIC) else None
    if begin[:1] == b"\x78" and int.from_bytes(begin[:2], "big") % 31 == 0:
        return _ZLIB
    try:
        zlib.decompressobj(_DEFLATE).decompress(begin, _PIECE)
    except zlib.error:
        return None
    return _DEFLATE


class _Unpacking:
    """Unpacks chunks into pieces that fit in memory, however well they were packed."""

    def __init__(self, format_: int | None) -> None:
        self._format = format_
        self._unpack = zlib.decompressobj(format_) if format_ is not None else None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The content of a chunk. Raises `AnswerLost`."""
        if self._unpack is None:
            yield chunk
            return
        rest = chunk
        while rest:
            if self._unpack.eof:
                if self._format != _GZIP or not rest.startswith(_MAGIC[:1]):
                    return
                self._unpack = zlib.decompressobj(_GZIP)
            try:
                yield self._unpack.decompress(rest, _PIECE)
            except zlib.error as error:
                raise AnswerLost(f"the file cannot be unpacked: {error}") from error
            rest = self._unpack.unconsumed_tail or self._unpack.unused_data

    def finish(self) -> None:
        """Raises `AnswerLost` where the end is missing."""
        if self._unpack is not None and not self._unpack.eof:
            raise AnswerLost("the file broke off in the middle of what is packed")

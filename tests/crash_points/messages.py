"""As much of PostgreSQL's wire protocol as a proxy needs that counts statements."""

import asyncio
import hashlib
import re
import struct
from dataclasses import dataclass

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
_LENGTH = struct.Struct("!I")
_CHANGED = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+((?!SKIP\b|SET\b|NOWAIT\b|OF\b)[a-z_.]+)")
_READ = re.compile(r"\bFROM\s+([a-z_.]+)")
_OF_A_WORKER = re.compile(r"genpulse_worker_[0-9a-f]+")
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\b")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of either side: its type and its whole text on the wire."""

    kind: bytes
    raw: bytes

    @property
    def payload(self) -> bytes:
        """What follows the length."""
        return self.raw[5:]


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Raises `IncompleteReadError` at the end of the stream."""
    head = await reader.readexactly(5)
    (length,) = _LENGTH.unpack(head[1:])
    return Message(head[:1], head + await reader.readexactly(length - 4))


async def read_startup(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The code of a client's first message, and its whole text."""
    head = await reader.readexactly(8)
    length, code = struct.unpack("!II", head)
    return code, head + await reader.readexactly(length - 8)


def texts(payload: bytes, count: int) -> list[str]:
    """The zero-ended texts at the beginning of a payload."""
    return [part.decode() for part in payload.split(b"\0", count)[:count]]


def refusal(code: str, message: str, status: bytes) -> bytes:
    """An ErrorResponse, and the ReadyForQuery after it."""
    fields = f"SERROR\0VERROR\0C{code}\0M{message}\0\0".encode()
    return b"E" + _LENGTH.pack(len(fields) + 4) + fields + b"Z" + _LENGTH.pack(5) + status


def writes(statement: str) -> bool:
    """Whether a read-only server would refuse it."""
    return bool(_WRITES.search(statement))


def label_of(statement: str) -> str:
    """A short name that stays the same from run to run: what is changed or read, and a digest of the text."""
    statement = _OF_A_WORKER.sub("genpulse_worker", " ".join(statement.split()))
    changed = [f"{verb.split()[0].lower()} {table}" for verb, table in _CHANGED.findall(statement)]
    if changed:
        what = "+".join(dict.fromkeys(changed))
    else:
        read = _READ.search(statement) if len(statement) > 30 else None
        what = f"read {read[1]}" if read else statement.rstrip(";")[:40].lower()
    return f"{what} {hashlib.blake2s(statement.encode(), digest_size=2).hexdigest()}"

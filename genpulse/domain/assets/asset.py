"""A file that GenPulse keeps: the output of a task, or an upload."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes themselves say. `key` is where they lie in the storage, see `key_of`.

    `size` is in bytes, `width` and `height` in pixels, `duration_s` in seconds; None where it does not apply.
    """

    key: str
    sha256: str
    size: int
    media_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Spooled:
    """A whole stream in a file on the local disk. `size` is in bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Buffered:
    """A whole stream in memory."""

    body: bytes
    sha256: str

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.body)


@dataclass(frozen=True, slots=True)
class Staged:
    """A whole stream that lies in the storage already, under a key that nobody else knows, see `staged_key`.

    `head` is its first bytes, 4 KiB of them.
    """

    content: Content
    head: bytes

    @property
    def sha256(self) -> str:
        """In hexadecimal."""
        return self.content.sha256

    @property
    def size(self) -> int:
        """In bytes."""
        return self.content.size


Received: TypeAlias = Spooled | Buffered | Staged
"""A whole stream, which can be kept more than once."""


@dataclass(frozen=True, slots=True)
class Asset:
    """Content with an identity. Two assets may share the same content; content never changes."""

    id: UUID
    content: Content
    created_at: datetime
    environment: str
    task_id: UUID | None = None
    owner: str = ""


KEY_LASTS = timedelta(days=7)
"""So long at most the same content gets the same key; afterwards nobody looks for content under it."""


def key_of(sha256: str, at: datetime) -> str:
    """Where content of this digest that is stored now lies: `assets/2030-W05/ab/abcdef…`.

    The ISO week in it (UTC) lets bytes be removed safely: see ADR 11. The two digits keep folders small.
    """
    return f"{week_of_keys(at)}{sha256[:2]}/{sha256}"


def staged_key(content_id: UUID, at: datetime) -> str:
    """Where content lies whose digest is not known before all of it is there: `assets/2030-W05/id/0123…`."""
    return f"{week_of_keys(at)}{STAGED_FOLDER}/{content_id.hex}"


def week_of_keys(at: datetime) -> str:
    """How the keys of all content begin that is stored in this week."""
    year, week, _ = at.astimezone(UTC).isocalendar()
    return f"assets/{year}-W{week:02}/"


STAGED_FOLDER = "id"
"""No two digits of a digest."""


REFERENCE = "asset:"
_PLAIN = "[0-9a-fA-F]{32}"
_DASHED = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_WHOLE = re.compile(f"(?:{REFERENCE})?({_DASHED})|{REFERENCE}({_PLAIN})")
_NAMED = re.compile(f"({_DASHED})|(?<={REFERENCE})({_PLAIN})")


def referred(reference: str) -> UUID | None:
    """The asset that an input refers to: `asset:` and an id with or without dashes, or an id with dashes alone.

    None for anything else. Digits may be in upper or lower case.
    """
    match = _WHOLE.fullmatch(reference)
    return UUID(match[1] or match[2]) if match else None


def named_in(text: str) -> frozenset[UUID]:
    """Every id in a text that `referred` takes, alone or inside of something else such as an address.

    The trigger `note_asset_uses` says the same in SQL.
    """
    return frozenset(UUID(match[1] or match[2]) for match in _NAMED.finditer(text))

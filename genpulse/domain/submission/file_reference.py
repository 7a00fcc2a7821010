"""What an input names a file by: an asset, the output of a task, an address, or the file itself."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from genpulse.domain.assets.asset import REFERENCE, referred
from genpulse.domain.json.place import Place

TASK = "task:"
FORMS = "asset:<id>, task:<id>, an https URL, or a data: URI"
"""The forms, for messages."""
NO_ASSET = "is no reference to an asset; it has to be asset: and the id of an upload or output"
"""What is told of a text that begins as one, and is none."""
_ID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_OUTPUT = re.compile(f"{TASK}({_ID}|[0-9a-fA-F]{{32}})(?:#([0-9]{{1,4}}))?")
_CONTENT = re.compile(f"(.*)/v1/assets/({_ID})/content/?")
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Medium(StrEnum):
    """What a file is, as the first part of its media type says."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """An output of a task; `index` counts from 0."""

    task_id: UUID
    index: int = 0


@dataclass(frozen=True, slots=True)
class InputFile:
    """A field of an input that takes a file: its place, what stands there, and the media it takes (none: any)."""

    place: Place
    reference: str
    media: tuple[Medium, ...] = ()


def output_named(reference: str) -> TaskOutput | None:
    """The output behind `task:<id>` or `task:<id>#<index>`; None for anything else."""
    match = _OUTPUT.fullmatch(reference)
    return TaskOutput(UUID(match[1]), int(match[2] or 0)) if match else None


def asset_named(reference: str, api_url: str) -> UUID | None:
    """The asset behind `asset:<id>` or the address of its bytes below `api_url`, signed or not; None for others.

    Of addresses on this machine itself it does not matter by which name they call it.
    """
    if reference.startswith(REFERENCE):
        return referred(reference)
    address = _content_address(reference)
    if address is None or not api_url:
        return None
    base, asset_id = address
    return asset_id if _same_place(base, urlsplit(api_url)) else None


def is_content_address(reference: str) -> bool:
    """Whether it is written like the address of an asset's bytes, wherever that may lie."""
    return _content_address(reference) is not None


def fits(media_type: str, media: tuple[Medium, ...]) -> bool:
    """Whether a field for these media takes a file of this type. What is of no known type may be anything."""
    kind = media_type.partition("/")[0].strip().lower()
    return not media or kind not in set(Medium) or kind in media


def _content_address(reference: str) -> tuple[SplitResult, UUID] | None:
    if not reference.startswith(("http://", "https://")) or any(letter.isspace() for letter in reference):
        return None
    try:
        url = urlsplit(reference)
    except ValueError:
        return None
    match = _CONTENT.fullmatch(url.path)
    return (url._replace(path=match[1]), UUID(match[2])) if match else None


def _same_place(url: SplitResult, other: SplitResult) -> bool:
    try:
        ports = [each.port or _PORTS.get(each.scheme) for each in (url, other)]
    except ValueError:
        return False
    same_host = url.hostname == other.hostname or (_is_here(url) and _is_here(other))
    return (
        same_host
        and ports[0] == ports[1]
        and url.scheme == other.scheme
        and url.path.rstrip("/") == other.path.rstrip("/")
    )


def _is_here(url: SplitResult) -> bool:
    host = url.hostname or ""
    return host in _LOOPBACK or host.endswith(".localhost")

"""Validating outputs by their bytes against what was ordered."""

import codecs
from collections.abc import Sequence

from genpulse.domain.asset import Spooled
from genpulse.domain.attempt import Succeeded
from genpulse.domain.kind import makes_media
from genpulse.domain.recovery import Shape
from genpulse.domain.text.storable import storable_line
from genpulse.lifecycle.attempt.outputs.storing import Gap, Made, Stored, Whole, checked, store_all
from genpulse.lifecycle.attempt.work import Work

WORDS_LENGTH = 300
MOST_WARNINGS = 100

_HEAD = 1 << 12
_MOSTLY = 0.7
_UNKNOWN = "application/octet-stream"
_NO_CONTROLS = bytes((*b"\t\n\r\f", *range(0x20, 0x7F), *range(0x80, 0x100)))
_NOT_PLAIN = bytes((*range(0x20), *range(0x7F, 0x100)))
_WORDS = frozenset({"application/json", "application/xml", "application/xhtml+xml"})


async def success(work: Work, made: Made) -> Succeeded:
    """Everything stored that is what was ordered, and a warning for each output that is missing.

    Where a picture, a video or sound was ordered, an empty file or words in place of it are none; words that come
    beside one are kept. What is made here is taken as it is. Raises `OutputUnavailable` where nothing is left,
    and as `store_all`.
    """
    stored, gaps = await store_all(work, made)
    taken = stored
    if work.shape is not Shape.LOCAL and makes_media(work.begun.task.kind):
        taken, refused = _sorted(stored)
        gaps = (*gaps, *(_as_gap(one, work.begun.task.kind) for one in refused))
    gaps = tuple(sorted(gaps, key=lambda gap: gap.index))
    checked(work, Made(tuple(one.piece for one in taken), gaps=gaps))
    warnings = (*made.warnings, *(gap.warning for gap in gaps))
    return Succeeded(tuple(one.asset for one in taken), made.cost, warnings[:MOST_WARNINGS])


def _sorted(stored: Sequence[Stored]) -> tuple[tuple[Stored, ...], tuple[Stored, ...]]:
    """What is taken, and what is not."""
    media = [one for one in stored if one.asset.content.size and not _is_words(one)]
    taken = [one for one in stored if one in media or (media and one.piece.is_text)]
    return tuple(taken), tuple(one for one in stored if one not in taken)


def is_words(media_type: str) -> bool:
    """Whether the bytes are text, JSON, XML or a page. A drawing (SVG) is a picture."""
    return media_type.startswith("text/") or media_type in _WORDS


def _is_words(one: Stored) -> bool:
    media_type = one.asset.content.media_type
    return is_words(media_type) or (media_type == _UNKNOWN and is_old_text(_head(one.piece.content)))


def is_old_text(head: bytes) -> bool:
    """Whether bytes are a text that is not UTF-8: UTF-16 with its mark, or Latin letters in an old code."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head[: len(head) & ~1].decode("utf-16", "replace")
        is_plain = not any(letter < " " and not letter.isspace() for letter in text)
        return is_plain and "\ufffd" not in text[:-1] and "<svg" not in text
    plain = len(head.translate(None, _NOT_PLAIN))
    return not head.translate(None, _NO_CONTROLS) and plain > _MOSTLY * len(head)


def _head(content: Whole) -> bytes:
    """The beginning, from the local disk where it was read a moment ago: no thread is asked for it."""
    if isinstance(content, bytes):
        return content[:_HEAD]
    path = content.path if isinstance(content, Spooled) else content
    with path.open("rb") as file:
        return file.read(_HEAD)


def _as_gap(one: Stored, kind: str) -> Gap:
    content = one.asset.content
    if not content.size:
        return Gap(one.piece.index, f"An empty file came where {kind} was ordered.")
    said = _first_words(one.piece.content)
    return Gap(one.piece.index, f"{content.media_type} came where {kind} was ordered: {said}")


def _first_words(content: Whole) -> str:
    head = _head(content)[: 4 * WORDS_LENGTH]
    code = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    return storable_line(head.decode(code, "replace"), WORDS_LENGTH)

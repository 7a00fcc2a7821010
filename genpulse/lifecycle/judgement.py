"""What was made, held against what was ordered: by its bytes, whatever its vendor called it."""

from collections.abc import Sequence
from pathlib import Path

from genpulse.domain.attempt import Succeeded
from genpulse.domain.kind import makes_media
from genpulse.domain.recovery import Shape
from genpulse.domain.text import storable_line
from genpulse.lifecycle.outputs import Gap, Made, Stored, Whole, checked, store_all
from genpulse.lifecycle.work import Work

WORDS_LENGTH = 300
MOST_WARNINGS = 100

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
    media = [one for one in stored if one.asset.content.size and not is_words(one.asset.content.media_type)]
    taken = [one for one in stored if one in media or (media and one.piece.is_text)]
    return tuple(taken), tuple(one for one in stored if one not in taken)


def is_words(media_type: str) -> bool:
    """Whether the bytes are text, JSON, XML or a page. A drawing (SVG) is a picture."""
    return media_type.startswith("text/") or media_type in _WORDS


def _as_gap(one: Stored, kind: str) -> Gap:
    content = one.asset.content
    if not content.size:
        return Gap(one.piece.index, f"An empty file came where {kind} was ordered.")
    said = _first_words(one.piece.content)
    return Gap(one.piece.index, f"{content.media_type} came where {kind} was ordered: {said}")


def _first_words(content: Whole) -> str:
    """A line that was read from the local disk a moment ago: no thread is asked for it."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            content = file.read(4 * WORDS_LENGTH)
    return storable_line(content[: 4 * WORDS_LENGTH].decode(errors="replace"), WORDS_LENGTH)

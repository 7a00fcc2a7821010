"""The kinds of work that the field knows. A plug-in may bring others in the same form."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

ANY = "any"
"""The kind of a model that nobody has described: it does what its input asks for."""

WELL_KNOWN = (
    "text-to-image",
    "image-to-image",
    "text-to-video",
    "image-to-video",
    "text-to-speech",
    "text-to-music",
    "noop",
    ANY,
)

FORM = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_ALIKE = 0.9
_FORM = re.compile(FORM)


def is_kind(word: str) -> bool:
    """Whether the word has the form of a kind: lower-case words joined by hyphens."""
    return _FORM.fullmatch(word) is not None


def misspelt(word: str) -> str | None:
    """The well-known kind that the word looks like without being it, if there is one."""
    near = get_close_matches(word, WELL_KNOWN, n=1, cutoff=_ALIKE)
    return near[0] if near and near[0] != word else None


def by_source(kinds: Sequence[str], *, from_media: bool) -> str | None:
    """The one of these kinds that begins with words, or with media; None where there is not exactly one.

    `text-to-image` begins with words, `image-to-image` with media.
    """
    matching = [kind for kind in kinds if "-to-" in kind and kind.startswith("text-") is not from_media]
    return matching[0] if len(matching) == 1 else None


_MEDIA = frozenset({"image", "video", "speech", "music", "audio", "sound"})


def makes_media(kind: str) -> bool:
    """Whether who asks for this kind wants a picture, a video or sound, and never words."""
    return kind.rpartition("-")[2] in _MEDIA

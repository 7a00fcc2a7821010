"""Validating outputs by their bytes: is it media, or words in place of them?"""

import codecs

from genpulse.domain.assets.asset import Buffered, Content, Spooled, Staged
from genpulse.domain.text.storable import storable_line
from genpulse.lifecycle.attempt.outputs.received import Rereadable

WORDS_LENGTH = 300

_HEAD = 1 << 12
_MOSTLY = 0.7
_UNKNOWN = "application/octet-stream"
_NO_CONTROLS = bytes((*b"\t\n\r\f", *range(0x20, 0x7F), *range(0x80, 0x100)))
_NOT_PLAIN = bytes((*range(0x20), *range(0x7F, 0x100)))
_WORDS = frozenset({"application/json", "application/xml", "application/xhtml+xml"})


def is_words_in_place_of_media(output: Rereadable, content: Content) -> bool:
    """Whether an output is an empty file or a text, where a picture, a video or sound was ordered."""
    if not content.size or is_words(content.media_type):
        return True
    return content.media_type == _UNKNOWN and is_old_text(_head(output))


def why_refused(output: Rereadable, content: Content, kind: str) -> str:
    """Why an output is not what a task of this kind has ordered, with its first words."""
    if not content.size:
        return f"An empty file came where {kind} was ordered."
    return f"{content.media_type} came where {kind} was ordered: {_first_words(output)}"


def is_words(media_type: str) -> bool:
    """Whether the bytes are text, JSON, XML or a page. A drawing (SVG) is a picture."""
    return media_type.startswith("text/") or media_type in _WORDS


def is_old_text(head: bytes) -> bool:
    """Whether bytes are a text that is not UTF-8: UTF-16 with its mark, or Latin letters in an old code."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head[: len(head) & ~1].decode("utf-16", "replace")
        is_plain = not any(letter < " " and not letter.isspace() for letter in text)
        return is_plain and "\ufffd" not in text[:-1] and "<svg" not in text
    plain = len(head.translate(None, _NOT_PLAIN))
    return not head.translate(None, _NO_CONTROLS) and plain > _MOSTLY * len(head)


def _head(output: Rereadable) -> bytes:
    """The beginning, if need be from the local disk where it was read a moment ago: no thread is asked for it."""
    match output:
        case bytes():
            return output[:_HEAD]
        case Buffered():
            return output.body[:_HEAD]
        case Staged():
            return output.head[:_HEAD]
    path = output.path if isinstance(output, Spooled) else output
    with path.open("rb") as file:
        return file.read(_HEAD)


def _first_words(output: Rereadable) -> str:
    head = _head(output)[: 4 * WORDS_LENGTH]
    code = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    return storable_line(head.decode(code, "replace"), WORDS_LENGTH)

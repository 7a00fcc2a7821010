"""Error messages in vendors' answers, of any shape.

OpenAI: `{"error": {"message", "type", "param", "code"}}`. Others: `{"error": "words"}`, FastAPI's `{"detail": …}`,
`{"object": "error", "message": …}` of older vLLM, Azure's `innererror`, and gateways that nest one in another.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from genpulse.domain.json.value import JsonObject, JsonValue

LENGTH = 1_000
LEVELS = 50
"""So many objects of an error are looked at."""
_WORDS = ("message", "detail", "reason", "error", "msg", "title")
_NAMES = ("code", "type", "status")
_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """An error: words for people, names for programs (`moderation_blocked`), and the field that does not fit."""

    words: str
    names: tuple[str, ...] = ()
    param: str = ""

    @property
    def everything(self) -> str:
        """Names and words as one text, in which causes are searched."""
        return " ".join((*self.names, self.words))


def error_in(document: JsonObject) -> ErrorWords | None:
    """Read the error in an answer; None where it names none."""
    error = document.get("error") or document.get("errors")
    if isinstance(error, dict | list | str):
        return error_words(error)
    return error_words(document) if error or document.get("object") == "error" else None


def refusal_in(document: JsonValue) -> ErrorWords:
    """Read the error in an answer whose status is a refusal."""
    error = error_in(document) if isinstance(document, dict) else None
    return error or error_words(document)


def error_words(error: JsonValue) -> ErrorWords:
    """Read an error: the words and names of its levels, the outer ones first."""
    levels = list(islice(_levels(error), LEVELS))
    words = dict.fromkeys(text for level in levels for name in _WORDS if (text := plain_text(level.get(name))))
    names = dict.fromkeys(
        text[:_NAME_LENGTH] for level in levels for name in _NAMES if (text := plain_text(level.get(name)))
    )
    param = next((text for level in levels if (text := plain_text(level.get("param")))), "")
    message = "; ".join(words) or plain_text(error) or "it does not say why"
    return ErrorWords(message[:LENGTH], tuple(names), param[:_NAME_LENGTH])


def plain_text(value: JsonValue) -> str:
    """A text or a number as text; nothing for all else."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _levels(error: JsonValue) -> Iterator[JsonObject]:
    """Each object of an error, and each bare text in its lists as one."""
    waiting: deque[JsonValue] = deque([error])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            yield from ({"message": one} for one in value if isinstance(one, str))
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))

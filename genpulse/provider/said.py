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
class Said:
    """Words for people, names for programs (`moderation_blocked`), and the field that does not fit."""

    words: str
    names: tuple[str, ...] = ()
    param: str = ""

    @property
    def everything(self) -> str:
        """All of it as one text, in which causes are looked for."""
        return " ".join((*self.names, self.words))


def error_in(document: JsonObject) -> Said | None:
    """The error that an answer names as one; None where it names none."""
    error = document.get("error") or document.get("errors")
    if isinstance(error, dict | list | str):
        return said_of(error)
    return said_of(document) if error or document.get("object") == "error" else None


def refusal_in(document: JsonValue) -> Said:
    """What an answer says that is a refusal by its status."""
    error = error_in(document) if isinstance(document, dict) else None
    return error or said_of(document)


def said_of(error: JsonValue) -> Said:
    """What an error itself says: the words and names of its levels, the outer ones first."""
    levels = list(islice(_levels(error), LEVELS))
    words = dict.fromkeys(text for level in levels for name in _WORDS if (text := plain_text(level.get(name))))
    names = dict.fromkeys(
        text[:_NAME_LENGTH] for level in levels for name in _NAMES if (text := plain_text(level.get(name)))
    )
    param = next((text for level in levels if (text := plain_text(level.get("param")))), "")
    message = "; ".join(words) or plain_text(error) or "it does not say why"
    return Said(message[:LENGTH], tuple(names), param[:_NAME_LENGTH])


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

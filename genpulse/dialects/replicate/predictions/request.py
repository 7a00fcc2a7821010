"""What the body and the headers of a new prediction say."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from starlette.datastructures import Headers

from genpulse.api.schemas.tasks.submission import LONGEST_DEADLINE_S, HttpUrl
from genpulse.domain.errors import BadInput, Problem

_WAIT = re.compile(r"\s*wait(?:\s*=\s*\"?\s*([0-9]{1,9})\s*\"?)?\s*(?:;.*)?", re.IGNORECASE)
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s?)?", re.IGNORECASE)
LEAST_CANCEL_AFTER_S = 5
EventWord = Annotated[str, StringConstraints(pattern="^(start|output|logs|completed)$")]


class PredictionRequest(BaseModel):
    """A prediction that is asked for. What is not listed is left alone, as Replicate does it."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    input: dict[str, JsonValue]
    version: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    webhook: HttpUrl | None = None
    webhook_completed: HttpUrl | None = None
    webhook_events_filter: Annotated[list[EventWord], Field(max_length=20)] | None = None
    stream: bool | None = None


def wait_s(headers: Headers, longest_s: int) -> int | None:
    """Seconds for which `Prefer: wait` holds the call, `longest_s` at most; None where it asks for nothing.

    Without a number it is the longest. Other preferences are left alone.
    """
    for preference in (headers.get("prefer") or "").split(","):
        if match := _WAIT.fullmatch(preference):
            return longest_s if match[1] is None else min(max(int(match[1]), 1), longest_s)
    return None


def cancel_after_s(headers: Headers) -> float | None:
    """Seconds of `Cancel-After`, such as `90`, `1m` or `1h30m`; None where it is not there. Raises `BadInput`."""
    word = (headers.get("cancel-after") or "").strip()
    if not word:
        return None
    match = _DURATION.fullmatch(word)
    parts = [int(part or 0) for part in match.groups()] if match else []
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2] if parts else 0
    if not LEAST_CANCEL_AFTER_S <= seconds <= LONGEST_DEADLINE_S:
        expected = (
            f"it takes {LEAST_CANCEL_AFTER_S} s to {LONGEST_DEADLINE_S // 86400} days, such as 90s, 15m or 1h30m"
        )
        raise BadInput(
            f"The header Cancel-After is {word[:40]!r}; {expected}.", [Problem("/cancel_after", expected)]
        )
    return float(seconds)

"""Request headers: Prefer, Idempotency-Key, Last-Event-ID."""

import re

from starlette.datastructures import Headers

from genpulse.api.errors import InvalidIdempotencyKey, InvalidLastEventId, InvalidPrefer

MOST_WAIT_S = 60
"""What may be asked for. How much of it anybody gets is the operator's to say."""
_PREFERENCE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
"""Up to the next comma that is in no quoted text."""
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")


def wait_s(headers: Headers, longest_s: int) -> int | None:
    """The seconds of `Prefer: wait=N` (RFC 7240), `longest_s` at most, or None. Other preferences are left alone.

    Raises `InvalidPrefer`.
    """
    if "prefer" not in headers:
        return None
    for preference in _PREFERENCE.findall(",".join(headers.getlist("prefer"))):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return min(_seconds(value.strip().strip('"')), longest_s)
    return None


def _seconds(word: str) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]?", word, re.ASCII) or int(word) > MOST_WAIT_S:
        raise InvalidPrefer(word)
    return int(word)


def idempotency_key(headers: Headers) -> str | None:
    """The Idempotency-Key, or None. Raises `InvalidIdempotencyKey`."""
    match headers.getlist("idempotency-key"):
        case []:
            return None
        case [key] if _PRINTABLE.fullmatch(key):
            return key
        case [key]:
            raise InvalidIdempotencyKey(
                f"The Idempotency-Key has {len(key)} characters; it takes 1 to 255 of printable ASCII."
            )
        case keys:
            raise InvalidIdempotencyKey(f"There are {len(keys)} Idempotency-Key headers; send one.")


def last_event_id(headers: Headers) -> int | None:
    """The number of the last event that the client has, or None. Raises `InvalidLastEventId`."""
    word = headers.get("last-event-id")
    if word is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", word, re.ASCII):
        raise InvalidLastEventId
    return int(word)

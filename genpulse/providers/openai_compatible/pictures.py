"""The pictures of an answer, each by itself: one that cannot be had costs no other."""

from collections.abc import AsyncIterable, Sequence

from genpulse.domain.json.value import JsonValue
from genpulse.provider import Answer, Missing, Output, OutputPlace
from genpulse.provider.account import Account
from genpulse.provider.encoded import decoded
from genpulse.provider.error_words import error_in

_BEGINNINGS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_NAMES = ("b64_json", "url", "result", "image", "image_url")


def pictures_of(account: Account, data: JsonValue) -> tuple[Output, ...]:
    """An output for each item of a list: `b64_json` or `url` of an object, or a text that is one of these.

    What is filtered, broken or gives no picture is an output that is missing. An object alone is a list of one.
    """
    return tuple(Output(_content(account, item)) for item in _items(data))


def with_places(data: JsonValue, first: int = 0) -> Answer:
    """The same list or object, with the place of an output where a picture stands; they count from `first`."""
    if isinstance(data, list):
        return [_with_place(item, OutputPlace(first + number)) for number, item in enumerate(data)]
    return _with_place(data, OutputPlace(first)) if _items(data) else data


def _items(data: JsonValue) -> Sequence[JsonValue]:
    return data if isinstance(data, list) else [data] if isinstance(data, dict | str) and data else []


def _with_place(item: JsonValue, place: OutputPlace) -> Answer:
    """An item that names its picture in several ways has the same one in each."""
    if not isinstance(item, dict):
        return place
    given = {name: value for name in _NAMES if isinstance(value := item.get(name), str | dict) and _texts([value])}
    places = {name: {**value, "url": place} if isinstance(value, dict) else place for name, value in given.items()}
    return {**item, **places}


def is_picture(body: bytes) -> bool:
    """Whether an answer is a picture itself, in place of JSON that holds one."""
    return body.startswith(_BEGINNINGS) or body[4:8] == b"ftyp"


def _content(account: Account, item: JsonValue) -> bytes | AsyncIterable[bytes]:
    """The first of the ways in which the item gives its picture that can be read."""
    failures: list[Missing] = []
    for text in _given(item):
        content = _named(account, text)
        if not isinstance(content, Missing):
            return content
        failures.append(content)
    if failures:
        return failures[0]
    reason = error_in(item) if isinstance(item, dict) else None
    return Missing(
        f"The server gives no picture: {reason.words}" if reason else "The server names a picture and gives none."
    )


def _given(item: JsonValue) -> list[str]:
    """Texts that may be the picture, or where it is."""
    values = [item.get(name) for name in _NAMES] if isinstance(item, dict) else [item]
    return _texts(values)


def _texts(values: Sequence[JsonValue]) -> list[str]:
    inner = [value.get("url") if isinstance(value, dict) else value for value in values]
    return [text for text in inner if isinstance(text, str) and text.strip()]


def _named(account: Account, text: str) -> bytes | AsyncIterable[bytes]:
    if text.lstrip().lower().startswith(("https://", "http://")):
        return account.fetch_public(text)
    try:
        return decoded(text)
    except ValueError as error:
        return Missing(f"The server's picture cannot be read: {error}.")

"""The pictures of an answer, each by itself: one that cannot be had costs no other."""

from collections.abc import AsyncIterable

from genpulse.domain.json_value import JsonValue
from genpulse.provider import Missing, Output
from genpulse.provider.encoded import decoded
from genpulse.provider.said import error_in
from genpulse.vendor import Account

_NAMES = ("b64_json", "url", "result", "image", "image_url")


def pictures_of(account: Account, data: JsonValue) -> tuple[Output, ...]:
    """An output for each item of a list: `b64_json` or `url` of an object, or a text that is one of these.

    What is filtered, broken or gives no picture is an output that is missing. An object alone is a list of one.
    """
    items = data if isinstance(data, list) else [data] if isinstance(data, dict | str) and data else []
    return tuple(Output(_content(account, item)) for item in items)


def _content(account: Account, item: JsonValue) -> bytes | AsyncIterable[bytes]:
    if isinstance(item, str):
        return _named(account, item)
    if not isinstance(item, dict):
        return Missing("The server names a picture and gives none.")
    texts = [text for name in _NAMES if isinstance(text := item.get(name), str) and text.strip()]
    if texts:
        return _named(account, texts[0])
    said = error_in(item)
    return Missing(
        f"The server gives no picture: {said.words}" if said else "The server names a picture and gives none."
    )


def _named(account: Account, text: str) -> bytes | AsyncIterable[bytes]:
    if text.lstrip().lower().startswith(("https://", "http://")):
        return account.fetch_public(text)
    try:
        return decoded(text)
    except ValueError as error:
        return Missing(f"The server's picture cannot be read: {error}")

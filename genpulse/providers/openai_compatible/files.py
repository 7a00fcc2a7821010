"""Files on their way to such a server, and out of its answers."""

import base64
import mimetypes
from collections.abc import Mapping

from genpulse.domain.json_value import JsonValue
from genpulse.provider import Call, Charged, InvalidInput, Output, OutputUnavailable, ProviderUnavailable
from genpulse.vendor import Account
from genpulse.wire import ANSWER_BYTES, AnswerLost, Part

_TRIES = 3


async def part_of(call: Call, account: Account, name: str, reference: str) -> Part:  # type: ignore[type-arg]
    """A picture as a file of a form, from wherever the input says that it is."""
    if reference.startswith("asset:"):
        file = await call.attachments.fetch(reference)
        return Part(name, file.path, f"{name.strip('[]')}{_ending(file.media_type)}", file.media_type)
    if reference.startswith("data:"):
        media_type, content = _decoded_uri(reference)
        return Part(name, content, f"{name.strip('[]')}{_ending(media_type)}", media_type)
    if reference.startswith("https://"):
        return Part(name, await account.fetch_input(reference), f"{name.strip('[]')}.png", "image/png")
    raise InvalidInput(f"{reference[:100]!r} is no picture; it has to be asset:<id>, an https URL or a data: URI.")


def _ending(media_type: str) -> str:
    return mimetypes.guess_extension(media_type) or ".png"


def _decoded_uri(reference: str) -> tuple[str, bytes]:
    head, _, content = reference.partition(",")
    try:
        return head[5:].partition(";")[0] or "image/png", base64.b64decode(content, validate=True)
    except ValueError as error:
        raise InvalidInput("A data: URI of the input is not base64.") from error


async def fetched(account: Account, url: str) -> bytes:
    """All that is behind a URL, in at most three tries. Raises `OutputUnavailable`, `ProviderUnavailable`."""
    for left in reversed(range(_TRIES)):
        try:
            return b"".join([chunk async for chunk in account.fetch_public(url, ANSWER_BYTES)])
        except (AnswerLost, ProviderUnavailable) as error:
            if not left:
                raise OutputUnavailable(
                    f"What was made cannot be fetched: {error}", charged=Charged.YES
                ) from error
    raise AssertionError("unreachable")


async def pictures_of(account: Account, data: JsonValue) -> tuple[Output, ...]:
    """The pictures of an answer: `b64_json` or `url`. Raises `OutputUnavailable`."""
    items = [item for item in data if isinstance(item, Mapping)] if isinstance(data, list) else []
    outputs = [Output(await _picture(account, item)) for item in items]
    if not outputs:
        raise OutputUnavailable("The server says that it is done, and its list is empty.", charged=Charged.YES)
    return tuple(outputs)


async def _picture(account: Account, item: Mapping[str, JsonValue]) -> bytes:
    encoded, url = item.get("b64_json"), item.get("url")
    if isinstance(encoded, str) and encoded:
        return decoded(encoded)
    if isinstance(url, str) and url.startswith("data:"):
        return decoded(url.partition(",")[2])
    if isinstance(url, str) and url:
        return await fetched(account, url)
    raise OutputUnavailable("The server names a picture and gives none.", charged=Charged.YES)


def decoded(encoded: str) -> bytes:
    """The bytes of a picture in base64. Raises `OutputUnavailable` for what is no picture."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise OutputUnavailable("The server's picture is not base64.", charged=Charged.YES) from error
    if not content or (content.lstrip()[:1] in {b"{", b"<"} and not content.lstrip().startswith(b"<svg")):
        raise OutputUnavailable("The server's picture is empty, or a text.", charged=Charged.YES)
    return content

"""Pictures of an input, on their way to a server as files of a form."""

import mimetypes
import re
from typing import Any

from genpulse.provider import Call, InvalidInput
from genpulse.provider.account import Account
from genpulse.provider.encoded import data_uri
from genpulse.provider.http import Part

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")


async def part_of(call: Call[Any], account: Account, name: str, reference: str) -> Part:
    """A picture from wherever the input says that it is. Raises `InvalidInput`."""
    if reference.startswith("asset:"):
        file = await call.attachments.fetch(reference)
        return Part(name, file.path, _filename(name, file.media_type), file.media_type)
    if reference.startswith("data:"):
        media_type, content = _decoded(reference)
        return Part(name, content, _filename(name, media_type), media_type)
    if reference.startswith("https://"):
        return Part(name, await account.fetch_input(reference), _filename(name, "image/png"), "image/png")
    raise InvalidInput(f"{reference[:100]!r} is no picture; it has to be asset:<id>, an https URL or a data: URI.")


def _filename(name: str, media_type: str) -> str:
    return f"{name.strip('[]')}{mimetypes.guess_extension(media_type) or '.png'}"


def _decoded(reference: str) -> tuple[str, bytes]:
    try:
        media_type, content = data_uri(reference)
    except ValueError as error:
        raise InvalidInput(f"A data: URI of the input cannot be read: {error}.") from error
    # It goes into a header of the form, where only what has the shape of a type may stand.
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else "image/png", content

"""Pictures of an input, brought to a server before its prompt."""

from typing import Any

from genpulse.provider import Call, InvalidInput, ProviderUnavailable
from genpulse.provider.account import Account
from genpulse.provider.encoded import decoded
from genpulse.provider.http import AnswerLost, Part
from genpulse.providers.comfyui.refusals import text_of


async def brought(call: Call[Any], account: Account, reference: str) -> str:
    """The name under which the server has the picture from now on. Raises a `ProviderError`."""
    form = (
        await _part(call, account, reference),
        Part("type", "input"),
        Part("subfolder", f"genpulse/{call.task_id.hex}"),
        Part("overwrite", "true"),
    )
    reply = await account.upload("/upload/image", form)
    try:
        place = reply.document()
    except AnswerLost as error:
        raise ProviderUnavailable(f"ComfyUI does not say where it keeps a picture: {error}") from error
    name, subfolder = text_of(place.get("name")), text_of(place.get("subfolder"))
    if not name:
        raise ProviderUnavailable(f"ComfyUI does not say where it keeps a picture: {reply.excerpt()}")
    return f"{subfolder}/{name}" if subfolder else name


async def _part(call: Call[Any], account: Account, reference: str) -> Part:
    if reference.startswith("asset:"):
        file = await call.attachments.fetch(reference)
        return Part("image", file.path, f"{reference[6:]}.png", file.media_type)
    if reference.startswith("data:"):
        return Part("image", _decoded(reference), "image.png", "image/png")
    if reference.startswith("https://"):
        return Part("image", await account.fetch_input(reference), "image.png", "image/png")
    raise InvalidInput(f"{reference[:100]!r} is no picture; it has to be asset:<id>, an https URL or a data: URI.")


def _decoded(reference: str) -> bytes:
    try:
        return decoded(reference)
    except ValueError as error:
        raise InvalidInput(f"A data: URI of the input cannot be read: {error}.") from error

"""Pictures of an input, brought to a server before its prompt."""

from typing import Any

from genpulse.provider import Call, ProviderUnavailable
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost, Part
from genpulse.provider.inputs.file_name import file_name
from genpulse.providers.comfyui.refusals import text_of


async def brought(call: Call[Any], account: Account, reference: str) -> str:
    """The name under which the server has the picture from now on. Raises a `ProviderError`."""
    file = await call.attachments.fetch(reference)
    form = (
        Part("image", file.path, file_name(reference, file), file.media_type),
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

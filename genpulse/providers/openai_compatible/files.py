"""Pictures of an input, on their way to a server as files of a form."""

import mimetypes
from typing import Any

from genpulse.provider import Call
from genpulse.provider.http import Part


async def part_of(call: Call[Any], name: str, reference: str) -> Part:
    """A picture from wherever the input says that it is. Raises `InvalidInput`."""
    file = await call.attachments.fetch(reference)
    ending = mimetypes.guess_extension(file.media_type) or ".png"
    return Part(name, file.path, f"{name.strip('[]')}{ending}", file.media_type)

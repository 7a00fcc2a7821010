"""What a task made, as this door hands it out."""

from collections.abc import AsyncGenerator, Mapping

from genpulse.dialects.openai.refusals import SERVER, CallRefused
from genpulse.domain.assets.asset import Asset
from genpulse.domain.errors import StorageLost
from genpulse.domain.task import Task

_TYPES: Mapping[str, frozenset[str]] = {
    "png": frozenset({"image/png"}),
    "jpeg": frozenset({"image/jpeg"}),
    "webp": frozenset({"image/webp"}),
    "mp3": frozenset({"audio/mpeg"}),
    "opus": frozenset({"audio/opus", "audio/ogg"}),
    "aac": frozenset({"audio/aac"}),
    "flac": frozenset({"audio/flac"}),
    "wav": frozenset({"audio/wav"}),
}
"""The media types of files in a format that a call asks for."""


def check_format(task: Task, field: str, file_format: object) -> None:
    """The files have the format that the call asked for by `field`, which the model itself was not told.

    Raises `CallRefused`: nobody gets other bytes than those asked for.
    """
    for asset in task.outputs:
        media_type = asset.content.media_type
        if media_type not in _TYPES.get(str(file_format), ()):
            raise CallRefused(
                f"The model {task.model!r} cannot be told a format, and has made {media_type}. Leave {field} out,"
                f" or ask for what it makes. The task {task.id} keeps the file.",
                "unsupported_format",
                field=field,
            )


def only_output(task: Task) -> Asset:
    """The first file of a task. Raises `CallRefused` where there is none."""
    if not task.outputs:
        raise CallRefused(f"The task {task.id} has made no file.", "no_output", status=502, kind=SERVER)
    return task.outputs[0]


async def begun(chunks: AsyncGenerator[bytes, None], count: int) -> AsyncGenerator[bytes, None]:
    """The chunks, once `count` of them are there: what is lost is told before the answer begins.

    Raises `CallRefused`, `StorageUnavailable`.
    """
    try:
        first = [await anext(chunks, b"") for _ in range(count)]
    except StorageLost as error:
        raise CallRefused(f"The file is lost: {error}", "asset_gone", status=500, kind=SERVER) from error

    async def all_chunks() -> AsyncGenerator[bytes, None]:
        yield b"".join(first)
        async for chunk in chunks:
            yield chunk

    return all_chunks()

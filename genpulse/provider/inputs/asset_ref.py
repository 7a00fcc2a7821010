"""Fields of an input that take a file."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from genpulse.domain.assets.asset import REFERENCE, referred
from genpulse.domain.json.place import Place
from genpulse.domain.submission.file_reference import (
    FORMS,
    NO_ASSET,
    TASK,
    InputFile,
    Medium,
    fits,
    is_content_address,
    output_named,
)
from genpulse.provider.encoded import data_uri, is_data_uri

FORMAT = "asset-ref"
"""The `format` of such a field in a JSON Schema; `x-media` beside it lists what it takes."""
DATA_BYTES = 8 << 20
"""How large a file may be that stands in the input itself."""
_URL = re.compile(r"https://[^\s/]\S*")


class _NamedFile(str):
    """A text that was validated as a reference, with the media that its field takes."""

    media: tuple[Medium, ...] = ()


class FileField:
    """Marks a field that takes a file: `Annotated[str, FileField("image", "video")]`; without a medium, any file.

    The text is `asset:<id>`, the address of an asset's bytes here, `task:<id>`, an https URL or a data: URI of at
    most 8 MiB. What it names is looked up when a task is submitted; `call.attachments.fetch` gives the file.
    Raises `ValueError` for another medium than image, video and audio.
    """

    def __init__(self, *media: str) -> None:
        self.media = tuple(Medium(medium) for medium in media)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """A text that is checked, and keeps which media may stand there."""
        return core_schema.no_info_after_validator_function(self._named, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The text's schema with `format` and `x-media`."""
        document = handler(schema)
        document["format"] = FORMAT
        document["x-media"] = [medium.value for medium in self.media or Medium]
        return document

    def _named(self, text: str) -> str:
        if why := _fault(text, self.media):
            raise PydanticCustomError("asset_ref", "{why}", {"why": why})
        named = _NamedFile(text)
        named.media = self.media
        return named


AssetRef: TypeAlias = Annotated[str, FileField()]
"""A field that takes any file: `file: AssetRef`."""
ImageRef: TypeAlias = Annotated[str, FileField("image")]
"""A field that takes a picture."""
VideoRef: TypeAlias = Annotated[str, FileField("video")]
"""A field that takes a video."""
AudioRef: TypeAlias = Annotated[str, FileField("audio")]
"""A field that takes sound."""


def files_in(parsed: object) -> tuple[InputFile, ...]:
    """The files that a validated input names, each with its place in the document."""
    if not isinstance(parsed, BaseModel) or not _takes_files(type(parsed)):
        return ()
    return tuple(_found(parsed))


@lru_cache(maxsize=1024)
def _takes_files(model: type[BaseModel]) -> bool:
    return f"'format': '{FORMAT}'" in str(model.model_json_schema())


def _found(parsed: BaseModel) -> Iterator[InputFile]:
    waiting: list[tuple[Place, object]] = [(None, parsed)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _NamedFile):
            yield InputFile(place, str(value), value.media)
        else:
            waiting += [((place, key), inner) for key, inner in reversed(list(_inner(value)))]


def _inner(value: object) -> Iterator[tuple[str | int, object]]:
    match value:
        case BaseModel():
            fields = type(value).model_fields.items()
            yield from ((field.alias or name, getattr(value, name)) for name, field in fields)
        case Mapping():
            yield from ((str(key), inner) for key, inner in value.items())
        case list() | tuple():
            yield from enumerate(value)


def _fault(text: str, media: tuple[Medium, ...]) -> str | None:
    """Why a text names no file; None where it may name one."""
    if is_data_uri(text):
        return _data_fault(text, media)
    if text.startswith(REFERENCE):
        return None if referred(text) else f"{text[:100]!r} {NO_ASSET}"
    if text.startswith(TASK):
        if output_named(text):
            return None
        return (
            f"{text[:100]!r} names no output of a task; it has to be task:<id>, or task:<id>#1 for the second one"
        )
    if is_content_address(text) or _URL.fullmatch(text):
        return None
    return f"{text[:100]!r} names no file; it has to be {FORMS}"


def _data_fault(text: str, media: tuple[Medium, ...]) -> str | None:
    if len(text) > DATA_BYTES * 4:
        return f"the data: URI is longer than a file of {DATA_BYTES:,} bytes can be; upload the file"
    try:
        media_type, content = data_uri(text)
    except ValueError as error:
        return f"the data: URI cannot be read: {error}"
    if len(content) > DATA_BYTES:
        return f"the data: URI has {len(content):,} bytes, and {DATA_BYTES:,} are allowed; upload the file"
    if not fits(media_type, media):
        return f"the data: URI is {media_type[:100]!r}, and this field takes {' or '.join(media)}"
    return None

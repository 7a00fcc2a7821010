"""A whole multipart form: its texts, and its files on the local disk, as they arrive."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from genpulse.api.requests.form_parts import MEDIA_TYPE, FormEvent, FormPart, PartEnd, form_parts
from genpulse.domain.assets.asset import Spooled
from genpulse.domain.errors import BadInput, ContentTooLarge, Problem
from genpulse.ports import Storage

MOST_FIELDS = 200
MOST_FILES = 20
_SHOWN = 100
"""Characters of a field's name that are shown."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, under the name of its field."""

    name: str
    spooled: Spooled


@dataclass(frozen=True, slots=True)
class Form:
    """The texts and the files of a form, each with the name of its field, in their order."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[FormFile, ...]


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What a form may have: bytes of texts all together, bytes of each file, and the fields that take files."""

    text_bytes: int
    file_bytes: int
    files: frozenset[str]


def is_form(request: Request) -> bool:
    """Whether the body says that it is such a form."""
    content_type = request.headers.get("content-type") or ""
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


@asynccontextmanager
async def form_in(request: Request, storage: Storage, limits: FormLimits) -> AsyncIterator[Form]:
    """The form of a request. No file is held in memory; they are gone from the disk after the body of the `with`.

    Raises `UnsupportedContentType`, `InvalidMultipart`, `BadInput` for a file in a field that takes none,
    `ContentTooLarge`, `UploadIncomplete` when the body ends too early, `StorageUnavailable`.
    """
    async with AsyncExitStack() as spooling:
        yield await _Reading(storage, limits, spooling).form(form_parts(request))


class _Reading:
    """Reads a form part by part."""

    def __init__(self, storage: Storage, limits: FormLimits, spooling: AsyncExitStack) -> None:
        self._storage = storage
        self._limits = limits
        self._spooling = spooling
        self._left_bytes = limits.text_bytes

    async def form(self, events: AsyncGenerator[FormEvent, None]) -> Form:
        fields: list[tuple[str, str]] = []
        files: list[FormFile] = []
        async for event in events:
            if not isinstance(event, FormPart):
                continue
            if event.file_name is not None:
                files.append(await self._file(event.name, events))
            else:
                fields.append((event.name, await self._text(event.name, events)))
            if len(fields) > MOST_FIELDS or len(files) > MOST_FILES:
                raise BadInput(f"The form has more than {MOST_FIELDS} fields or {MOST_FILES} files.")
        return Form(tuple(fields), tuple(files))

    async def _file(self, name: str, events: AsyncGenerator[FormEvent, None]) -> FormFile:
        if name not in self._limits.files:
            taken = " and ".join(sorted(self._limits.files)) or "none"
            problem = Problem(f"/{name[:_SHOWN]}", f"it takes no file; those that do: {taken}")
            raise BadInput(f"The form has a file in the field {name[:_SHOWN]!r}, which takes none.", [problem])
        spooling = self._storage.spool(_data(events), limit_bytes=self._limits.file_bytes)
        spooled = await self._spooling.enter_async_context(spooling)
        if not spooled.size:
            raise BadInput("The form has an empty file.", [Problem(f"/{name[:_SHOWN]}", "the file is empty")])
        return FormFile(name, spooled)

    async def _text(self, name: str, events: AsyncGenerator[FormEvent, None]) -> str:
        chunks: list[bytes] = []
        async for chunk in _data(events):
            self._left_bytes -= len(chunk)
            if self._left_bytes < 0:
                raise ContentTooLarge(self._limits.text_bytes)
            chunks.append(chunk)
        try:
            return b"".join(chunks).decode()
        except UnicodeDecodeError:
            problem = Problem(f"/{name[:_SHOWN]}", "the text is not UTF-8")
            raise BadInput("The form has a text that is not UTF-8.", [problem]) from None


async def _data(events: AsyncGenerator[FormEvent, None]) -> AsyncIterator[bytes]:
    """What belongs to the part that has begun."""
    while not isinstance(event := await anext(events), PartEnd):
        if isinstance(event, bytes):
            yield event

"""Forms that bring files: each is kept as an asset as it arrives, and named in the field that it is for."""

from collections.abc import AsyncGenerator, AsyncIterator

from starlette.requests import Request

from genpulse.api.requests.form_parts import MEDIA_TYPE, FormEvent, FormPart, PartEnd, form_parts
from genpulse.console import changes
from genpulse.console.console import Console
from genpulse.console.errors import ForgedForm, UnreadableForm
from genpulse.console.forms import posted_form
from genpulse.console.forms.posted_form import PageForm
from genpulse.console.visit import Visit, admit
from genpulse.domain.assets.asset import REFERENCE
from genpulse.domain.keys.api_key import Scope
from genpulse.lifecycle.upload import upload

FILE = "file."
"""With what the name of a field begins that brings a file for the field named behind it."""
_MOST_FILES = 16
_LONGEST_NAME = 200


async def opened(console: Console, request: Request) -> tuple[Visit, PageForm]:
    """A form that this console has shown to whoever sends it, with its files kept. Files come after the token.

    Raises `ForgedForm`, `UnreadableForm`, `InvalidMultipart`, `UploadIncomplete`, `InsufficientScope`,
    `AuthenticationRequired`, `ContentTooLarge`, `StorageUnavailable`, `DatabaseUnavailable`.
    """
    if not request.headers.get("content-type", "").strip().lower().startswith(MEDIA_TYPE):
        return await changes.opened(console, request)
    visit = await admit(console, request)
    posted_form.check_origin(request, visit.context.options.public_url)
    visit.require(Scope.WRITE)
    form = await _FileForm(visit).read(form_parts(request))
    posted_form.check_token(form, visit.token)
    return visit, form


class _FileForm:
    """Reads one form."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._fields: list[tuple[str, str]] = []
        self._left_bytes = visit.context.options.body_limit_bytes
        self._files = 0

    async def read(self, events: AsyncGenerator[FormEvent, None]) -> PageForm:
        """All of it."""
        async for event in events:
            if not isinstance(event, FormPart):
                continue
            if len(self._fields) >= posted_form.MOST_FIELDS:
                raise UnreadableForm(f"it has more than {posted_form.MOST_FIELDS} fields")
            if event.file_name is None:
                self._fields.append((event.name[:_LONGEST_NAME], await self._text(events)))
            else:
                await self._file(event.name, _content(events))
        return PageForm(tuple(self._fields))

    async def _text(self, events: AsyncGenerator[FormEvent, None]) -> str:
        parts = []
        async for data in _content(events):
            self._left_bytes -= len(data)
            if self._left_bytes < 0:
                raise UnreadableForm("it is larger than forms are")
            parts.append(data)
        try:
            return b"".join(parts).decode("utf-8")
        except UnicodeDecodeError:
            raise UnreadableForm("it is not in UTF-8") from None

    async def _file(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        first = await anext(chunks, b"")
        if not first:
            return
        if not any(field == posted_form.TOKEN for field, _ in self._fields):
            raise ForgedForm
        posted_form.check_token(PageForm(tuple(self._fields)), self._visit.token)
        self._files += 1
        if not name.startswith(FILE) or self._files > _MOST_FILES:
            raise UnreadableForm("it brings a file for which it has no field")
        field = name.removeprefix(FILE)[:_LONGEST_NAME]
        asset_id = await changes.noted(self._visit, "file.upload", field, lambda: self._kept(first, chunks))
        self._fields.append((field, f"{REFERENCE}{asset_id}"))

    async def _kept(self, first: bytes, chunks: AsyncIterator[bytes]) -> str:
        async def content() -> AsyncIterator[bytes]:
            yield first
            async for chunk in chunks:
                yield chunk

        visit = self._visit
        limit_bytes, owner = visit.context.options.upload_limit_bytes, visit.viewer.caller.owner
        return str((await upload(visit.services, content(), limit_bytes=limit_bytes, owner=owner)).id)


async def _content(events: AsyncGenerator[FormEvent, None]) -> AsyncIterator[bytes]:
    """What one part holds."""
    async for event in events:
        if isinstance(event, PartEnd):
            return
        if isinstance(event, bytes):
            yield event

"""What a call asks for, read from JSON or from a form alike."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from genpulse.api.context import context_in
from genpulse.api.requests import json_body
from genpulse.api.requests.form import FormFile, FormLimits, form_in, is_form
from genpulse.api.requests.json_checks import VALUES, check
from genpulse.dialects.openai.form_values import nested
from genpulse.domain.errors import BadInput
from genpulse.domain.json.value import JsonObject

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Asked:
    """The values of a call by their fields, and its files. `from_form`: numbers in it may be texts."""

    values: JsonObject
    files: tuple[FormFile, ...] = ()

    @property
    def canonical(self) -> bytes:
        """The same bytes whenever the same is asked for, with files by their digests."""
        files = [[file.name, file.spooled.sha256] for file in self.files]
        return _CANONICAL.encode([self.values, files]).encode()


async def json_asked(request: Request) -> Asked:
    """The JSON object of a request.

    Raises `UnsupportedContentType`, `InvalidJson`, `BadInput`, `ContentTooLarge`.
    """
    json_body.check_type(request)
    document = json_body.parsed(await request.body())
    if not isinstance(document, dict):
        raise BadInput("The body is no JSON object.")
    return Asked(document)


@asynccontextmanager
async def asked_by(request: Request, *, files: frozenset[str]) -> AsyncIterator[Asked]:
    """A form, whose fields of these names may be files, or a JSON object.

    Raises as `form_in` and `json_asked`.
    """
    if not is_form(request):
        yield await json_asked(request)
        return
    context = context_in(request.scope)
    limits = FormLimits(context.options.body_limit_bytes, context.options.upload_limit_bytes, files)
    async with form_in(request, context.services.storage, limits) as form:
        values = nested(form.fields)
        check(values, VALUES)
        yield Asked(values, form.files)

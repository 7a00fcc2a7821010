"""Pictures: generations, edits, variations."""

from dataclasses import dataclass

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in, links_for
from genpulse.api.door import DoorCall
from genpulse.api.responses.encoded import JsonResponse
from genpulse.api.responses.streams import Stream
from genpulse.dialects.openai.calls_asked import Asked, asked_by
from genpulse.dialects.openai.images.answers import answer_bytes, encoded_answer, linked
from genpulse.dialects.openai.images.events import image_events
from genpulse.dialects.openai.orders import Purpose
from genpulse.dialects.openai.outputs import begun, check_format
from genpulse.dialects.openai.parts import Ordered, Parts
from genpulse.dialects.openai.refusals import CallRefused
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.task import Task

_MAKES = frozenset({"image"})
_FORMAT = frozenset({"output_format"})
_FILES = frozenset({"image", "image[]", "mask"})
_BEGINNING = 3
"""The first chunks of an answer, which hold the beginning of the first picture."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of this resource: its purpose, and the name of the event that ends its stream."""

    purpose: Purpose
    event: str


GENERATION = _Call(
    Purpose("text-to-image", _MAKES, required=frozenset({"prompt"}), checked=_FORMAT), "image_generation.completed"
)
EDIT = _Call(
    Purpose(
        "image-to-image",
        _MAKES,
        required=frozenset({"prompt"}),
        checked=_FORMAT,
        pictures=frozenset({"image", "mask"}),
    ),
    "image_edit.completed",
)
VARIATION = _Call(
    Purpose("image-to-image", _MAKES, checked=_FORMAT, pictures=frozenset({"image"})), "image_edit.completed"
)


class Images:
    """The calls under `/v1/images`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def calls(self) -> tuple[DoorCall, ...]:
        """All of them."""
        return (
            DoorCall("POST", "/v1/images/generations", self.generate),
            DoorCall("POST", "/v1/images/edits", self.edit, takes_files=True),
            DoorCall("POST", "/v1/images/variations", self.vary, takes_files=True),
        )

    async def generate(self, request: Request) -> Response:
        """Pictures from words."""
        return await self._pictures(request, GENERATION)

    async def edit(self, request: Request) -> Response:
        """Pictures from pictures and words."""
        return await self._pictures(request, EDIT)

    async def vary(self, request: Request) -> Response:
        """Pictures like a picture."""
        return await self._pictures(request, VARIATION)

    async def _pictures(self, request: Request, call: _Call) -> Response:
        async with asked_by(request, files=_FILES if call.purpose.pictures else frozenset()) as body:
            form = _AnswerForm.of(body.values)
            _need_picture(body, call)

            async def handle(key: str) -> Response:
                ordered = await self._parts.submit(request, call.purpose, form.rest(body.values), body.files, key)
                if form.streams:
                    events = image_events(request, ordered.task, call.event, self._parts, as_urls=form.as_urls)
                    return Stream(
                        events, 200, {"Cache-Control": "no-cache", **ordered.headers}, "text/event-stream"
                    )
                task = await self._parts.ended(request, ordered.task)
                if "output_format" in ordered.ignored:
                    check_format(task, "output_format", body.values.get("output_format"))
                return await _answer(request, ordered, task, as_urls=form.as_urls)

            return await self._parts.answer(request, body, handle)


async def _answer(request: Request, ordered: Ordered, task: Task, *, as_urls: bool) -> Response:
    if as_urls:
        return JsonResponse(to_json(linked(task, links_for(request).content)), 200, ordered.headers)
    chunks = await begun(encoded_answer(context_in(request.scope).services.storage, task), _BEGINNING)
    headers = {**ordered.headers, "Content-Length": str(answer_bytes(task))}
    return Stream(chunks, 200, headers, "application/json")


@dataclass(frozen=True, slots=True)
class _AnswerForm:
    """How a call wants to be answered, which no model is told."""

    streams: bool
    as_urls: bool

    @classmethod
    def of(cls, values: JsonObject) -> "_AnswerForm":
        """Raises `CallRefused`."""
        form, stream = values.get("response_format"), values.get("stream")
        if form not in {None, "url", "b64_json"} if isinstance(form, str | None) else True:
            raise CallRefused("response_format is url or b64_json.", "invalid_value", field="response_format")
        if stream not in {None, True, False, "true", "false"} if isinstance(stream, str | bool | None) else True:
            raise CallRefused("stream is true or false.", "invalid_value", field="stream")
        return cls(streams=stream in {True, "true"}, as_urls=form == "url")

    def rest(self, values: JsonObject) -> JsonObject:
        """What is left for the model. Partial pictures are nothing that any of ours has."""
        ours = {"response_format", "stream", "partial_images"}
        return {name: value for name, value in values.items() if name not in ours}


def _need_picture(body: Asked, call: _Call) -> None:
    """Raises `CallRefused`."""
    given: JsonValue = body.values.get("image") or body.values.get("images")
    has_file = any(file.name.startswith("image") for file in body.files)
    if call.purpose.pictures and not given and not has_file:
        raise CallRefused("The call has no picture.", "missing_required_parameter", field="image")

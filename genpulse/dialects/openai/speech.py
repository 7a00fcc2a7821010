"""Speech: the answer is the sound itself."""

import base64
from collections.abc import AsyncGenerator

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.door import DoorCall
from genpulse.api.responses.streams import Stream
from genpulse.api.routes.assets.assets import fetch_content
from genpulse.dialects.openai.calls_asked import asked_by
from genpulse.dialects.openai.orders import Purpose
from genpulse.dialects.openai.outputs import begun, check_format, only_output
from genpulse.dialects.openai.parts import Parts
from genpulse.dialects.openai.refusals import CallRefused
from genpulse.domain.assets.asset import Asset
from genpulse.domain.json.value import JsonObject
from genpulse.ports import Storage

_PURPOSE = Purpose(
    "text-to-speech",
    frozenset({"speech", "audio", "sound", "music"}),
    required=frozenset({"input", "voice"}),
    checked=frozenset({"response_format"}),
)


class Speech:
    """The call under `/v1/audio`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def calls(self) -> tuple[DoorCall, ...]:
        """It alone."""
        return (DoorCall("POST", "/v1/audio/speech", self.speak),)

    async def speak(self, request: Request) -> Response:
        """Words as sound."""
        async with asked_by(request, files=frozenset()) as body:
            values = _values(body.values)

            async def handle(key: str) -> Response:
                ordered = await self._parts.submit(request, _PURPOSE, values, (), key)
                task = await self._parts.ended(request, ordered.task)
                asset = only_output(task)
                if "response_format" in ordered.ignored:
                    check_format(task, "response_format", values["response_format"])
                if body.values.get("stream_format") == "sse":
                    storage = context_in(request.scope).services.storage
                    events = await begun(_events(storage, asset), 1)
                    return Stream(
                        events, 200, {"Cache-Control": "no-cache", **ordered.headers}, "text/event-stream"
                    )
                response = await fetch_content(request, asset.id)
                response.headers.update(ordered.headers)
                return response

            return await self._parts.answer(request, body, handle)


def _values(body: JsonObject) -> JsonObject:
    """What the model is told. Raises `CallRefused`."""
    values = dict(body)
    form = values.pop("stream_format", None)
    if form not in (None, "sse", "audio"):
        raise CallRefused("stream_format is sse or audio.", "invalid_value", field="stream_format")
    if not values.get("input"):
        raise CallRefused("The call has nothing to say.", "missing_required_parameter", field="input")
    voice = values.get("voice")
    if isinstance(voice, dict):
        values["voice"] = voice.get("id")
    return values


async def _events(storage: Storage, asset: Asset) -> AsyncGenerator[bytes, None]:
    content = asset.content
    async for chunk in storage.read(content.key, 0, content.size, sha256=content.sha256):
        yield _event("speech.audio.delta", {"audio": base64.b64encode(chunk).decode()})
    yield _event("speech.audio.done", {"usage": None})


def _event(name: str, values: JsonObject) -> bytes:
    return f"event: {name}\ndata: ".encode() + to_json({"type": name, **values}) + b"\n\n"

"""A server that answers as a test wants it, and the calls that are made of it."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import web

from genpulse.adapters.http.http_client import HttpClient
from genpulse.provider import Attachment, Call, InvalidInput, Job, Output, Provider, ProviderSettings
from genpulse.provider.encoded import data_uri, is_data_uri

TASK = UUID("0191b2d2-0000-7000-8000-000000000001")
KEY = "key-of-the-account"
_FOLDER = tempfile.TemporaryDirectory(prefix="genpulse-inputs-")


@dataclass(frozen=True)
class Asked:
    """A request as it came. `path` is what stood in the request line, `form` what a multipart body held."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    form: dict[str, Any]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    """An answer: a document as JSON, or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        if isinstance(self.body, bytes):
            return web.Response(body=self.body, status=self.status, headers=self.headers)
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(body=json.dumps(self.body).encode(), status=self.status, headers=headers)


class Scripted:
    """`answer` says what is told, `says` what is sent over a WebSocket; all that was asked is kept."""

    def __init__(self) -> None:
        self.says: list[str | bytes] = []
        self.answer: Callable[[Asked], Told] = lambda _: Told({}, 404)
        self.asked: list[Asked] = []
        self.base_url = ""
        self.http = HttpClient("test", missing_s=0.1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Scripted"]:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await self.http.close()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._speak(request)
        form = await _form(request) if request.content_type == "multipart/form-data" else {}
        body = b"" if form else await request.read()
        asked = Asked(request.method, request.raw_path, dict(request.headers), body, form)
        self.asked.append(asked)
        return self.answer(asked).response()

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in self.says:
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
        async for _ in socket:
            continue
        return socket

    def always(self, body: Any = None, status: int = 200, **headers: str) -> None:
        """Tell the same, whatever is asked."""
        told = Told(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
        self.answer = lambda _: told

    def settings(self, **changes: Any) -> ProviderSettings:
        return ProviderSettings(**{"api_key": KEY, "base_url": self.base_url, "http": self.http, **changes})


async def _form(request: web.Request) -> dict[str, Any]:
    fields = (await request.post()).items()
    return {name: value.file.read() if isinstance(value, web.FileField) else value for name, value in fields}


def engine_of(provider: Provider, name: str) -> Any:
    """The engine of a model, whether it is listed or not."""
    model = next((model for model in provider.models if model.name == name), None)
    found = model or (provider.find_model(name) if provider.find_model else None)
    assert found is not None, f"there is no {name}"
    return found.engine


class DataFiles:
    """Attachments of inputs that hold their files themselves; all of them are pictures."""

    def keeps(self, _: str) -> bool:
        return False

    async def fetch(self, reference: str) -> Attachment:
        if not is_data_uri(reference):
            raise InvalidInput(f"{reference} is no data: URI.")
        path = Path(_FOLDER.name) / "picture"
        path.write_bytes(data_uri(reference)[1])
        return Attachment(path, "image/png", path.stat().st_size)


def call_of(wanted: Any) -> Call[Any]:
    return Call("a/model", "any", wanted, TASK, f"genpulse-{TASK.hex}", 1, attachments=DataFiles())


def job_of(job_id: str, wanted: Any) -> Job[Any]:
    return Job(job_id, call_of(wanted))


async def content_of(output: Output) -> bytes:
    """All of it. Raises what its stream raises."""
    if isinstance(output.content, bytes):
        return output.content
    assert not hasattr(output.content, "read_bytes")
    return b"".join([chunk async for chunk in output.content])

"""The client itself: `GenPulse`."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp

from genpulse.client.errors import ApiUnreachable, DownloadBroken, NoId, TaskFailed
from genpulse.client.transport import CHUNK_BYTES, ResponseContext, chunks_of, why_unreachable
from genpulse.client.views import AssetView, Event, TaskView, asset_of, event_of, task_of

DEFAULT_URL = "http://127.0.0.1:8000"
_AGAIN_S = 0.5
_TRIES = 5
_PAGE = 100
OnEvent = Callable[[Event], None]


class GenPulse:
    """Use it as an async context manager. All calls raise `ApiUnreachable` and `ApiRefused`."""

    def __init__(self, url: str = DEFAULT_URL, api_key: str | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._headers = headers
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "GenPulse":
        timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=90)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def submit(
        self,
        model: str,
        input: Mapping[str, Any],  # noqa: A002 - the name of the field
        *,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> TaskView:
        """Submit a task; `options` are the other fields, such as `kind`, `priority`, `deadline_s`, `metadata`.

        A connection that breaks is tried again under one idempotency key, so that it stays one task.
        """
        body = {"model": model, "input": dict(input), **options}
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        for tries in range(_TRIES):
            try:
                return task_of(await self._json("POST", "/v1/tasks", json=body, headers=headers))
            except ApiUnreachable:
                if tries == _TRIES - 1:
                    raise
                await asyncio.sleep(_AGAIN_S * (tries + 1))
        raise AssertionError("unreachable")

    async def task(self, task_id: str) -> TaskView:
        """A task as it stands."""
        return task_of(await self._json("GET", f"/v1/tasks/{_named(task_id)}"))

    async def tasks(self, *, limit: int = 20, **filters: str | None) -> tuple[TaskView, ...]:
        """The newest tasks, at most `limit`, with `status`, `kind`, `provider` or `code` as filters."""
        return tuple([task async for task in self.each_task(limit=limit, **filters)])

    async def each_task(self, *, limit: int | None = None, **filters: str | None) -> AsyncIterator[TaskView]:
        """The same one after the other, a page in memory at a time; None is all. `code` is that of the error.

        An empty filter is refused by the API: whoever has lost a value does not mean all tasks.
        """
        query: dict[str, str] = {name: value for name, value in filters.items() if value is not None}
        remaining = limit
        while remaining is None or remaining > 0:
            size = _PAGE if remaining is None else min(remaining, _PAGE)
            page = await self._json("GET", "/v1/tasks", params={**query, "limit": str(size)})
            for document in page["data"]:
                yield task_of(document)
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]
            remaining = None if remaining is None else remaining - len(page["data"])

    async def cancel(self, task_id: str) -> TaskView:
        """Ask that it stops. Until its status is `canceled` it may still end otherwise."""
        return task_of(await self._json("POST", f"/v1/tasks/{_named(task_id)}/cancel"))

    async def retry(self, task_id: str, *, even_if_charged: bool = False) -> TaskView:
        """Run a failed task again. An order whose end is not known is taken up where the vendor can be asked.

        Elsewhere it may be paid for twice, and is refused with the code `may_be_charged`. With `even_if_charged`
        whatever is open there is forgotten, and the task is ordered anew.
        """
        body = {"json": {"even_if_charged": True}} if even_if_charged else {}
        return task_of(await self._json("POST", f"/v1/tasks/{_named(task_id)}/retry", **body))

    async def watch(self, task_id: str) -> AsyncIterator[Event]:
        """Events until the task has ended. A stream that breaks is taken up where it was."""
        last_id: str | None = None
        tries = 0
        while True:
            try:
                async for event in self._stream(task_id, last_id):
                    last_id, tries = event.id, 0
                    yield event
                    if event.task is not None and event.task.ended:
                        return
            except (aiohttp.ClientError, TimeoutError, ApiUnreachable) as error:
                tries += 1
                if tries >= _TRIES and isinstance(error, ApiUnreachable):
                    raise
                if tries >= _TRIES:
                    raise ApiUnreachable(self.url, why_unreachable(error)) from error
                await asyncio.sleep(_AGAIN_S * tries)
                continue
            task = await self.task(task_id)
            if task.ended:
                yield Event(last_id or "0", task, None, None)
                return

    async def _stream(self, task_id: str, last_id: str | None) -> AsyncIterator[Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        async with self._request("GET", f"/v1/tasks/{_named(task_id)}/events", headers=headers) as response:
            fields: dict[str, str] = {}
            async for line in response.content:
                name, _, value = line.decode().rstrip("\r\n").partition(":")
                if name:
                    fields[name] = value.removeprefix(" ")
                elif "data" in fields:
                    yield event_of(fields)
                    fields = {}

    async def generate(
        self,
        model: str,
        input: Mapping[str, Any],  # noqa: A002 - the name of the field
        *,
        on_event: OnEvent | None = None,
        **options: Any,
    ) -> TaskView:
        """Submit a task and follow it to its end. Raises `TaskFailed`."""
        task = await self.submit(model, input, **options)
        async for event in self.watch(task.id):
            if on_event is not None:
                on_event(event)
            task = event.task or task
        if task.status != "succeeded":
            raise TaskFailed(task)
        return task

    async def download(self, asset: AssetView, path: str | os.PathLike[str]) -> Path:
        """Save an asset under the path, whole or not at all. Raises `DownloadBroken`."""
        target = Path(path)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with part.open("wb") as file:
                async for chunk in self.read(asset):
                    file.write(chunk)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    async def read(self, asset: AssetView) -> AsyncIterator[bytes]:
        """The bytes of an asset. Raises `DownloadBroken` at the end when they are not what they should be."""
        digest = hashlib.sha256()
        async with self._request("GET", f"/v1/assets/{_named(asset.id)}/content") as response:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != asset.sha256:
            raise DownloadBroken(f"The bytes of asset {asset.id} do not have the digest that it should have.")

    async def upload(self, path: str | os.PathLike[str]) -> AssetView:
        """Bring a file of one's own."""
        form = aiohttp.FormData()
        form.add_field("file", chunks_of(Path(path)), filename=Path(path).name)
        return asset_of(await self._json("POST", "/v1/uploads", data=form))

    async def models(self) -> list[Mapping[str, Any]]:
        """The catalogue."""
        return list((await self._json("GET", "/v1/models"))["data"])

    async def model(self, model_id: str) -> Mapping[str, Any]:
        """One entry of the catalogue, with the JSON Schema of its input."""
        return dict(await self._json("GET", f"/v1/models/{_named(model_id, several=True)}"))

    async def providers(self) -> list[Mapping[str, Any]]:
        """The providers."""
        return list((await self._json("GET", "/v1/providers"))["data"])

    async def readiness(self) -> Mapping[str, Any]:
        """How each part of the system is, also when it is not ready."""
        async with self._request("GET", "/readyz", refuse=False) as response:
            return dict(await response.json(content_type=None))

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        async with self._request(method, path, **options) as response:
            return await response.json()

    def _request(self, method: str, path: str, *, refuse: bool = True, **options: Any) -> "ResponseContext":
        if self._session is None:
            raise RuntimeError("use the client as a context manager: async with GenPulse() as genpulse")
        return ResponseContext(self._session.request(method, self.url + path, **options), self.url, refuse)


def _named(text: str, *, several: bool = False) -> str:
    """An id as a part of a path, or as several parts. Raises `NoId` for what would lead to another path."""
    parts = text.split("/")
    if any(part in {"", ".", ".."} for part in parts) or (len(parts) > 1 and not several):
        raise NoId(text)
    return quote(text)

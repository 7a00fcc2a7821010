"""A client of the HTTP API, for asyncio.

    async with GenPulse("http://127.0.0.1:8000") as genpulse:
        task = await genpulse.generate("sandbox/image", {"prompt": "a red fox at dawn"})
        await genpulse.download(task.outputs[0], "fox.png")

It stands alone: nothing else of the package is imported.
"""

import asyncio
import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp

DEFAULT_URL = "http://127.0.0.1:8000"
_AGAIN_S = 0.5
_TRIES = 5
_CHUNK = 1 << 18
_PAGE = 100
_ENDED = {"succeeded", "failed", "canceled"}


class ClientError(Exception):
    """Base of the errors of this module."""


class ApiUnreachable(ClientError):
    """Nothing answers at the address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"Nothing answers at {url} ({why}). Start it with `genpulse dev`, or name another address with --api."
        )


class NoId(ClientError, ValueError):
    """A text that no path can name anything by."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no id: it has to be something, and no step to another path.")


class ApiRefused(ClientError):
    """The API said no. `problems` are the places that do not fit, as (place, what is wrong)."""

    def __init__(self, status: int, code: str, detail: str, problems: tuple[tuple[str, str], ...] = ()) -> None:
        places = "".join(f"\n  {place}: {what}" for place, what in problems if what not in detail)
        super().__init__(f"{detail}{places}")
        self.status = status
        self.code = code
        self.problems = problems


class TaskFailed(ClientError):
    """A task ended without success."""

    def __init__(self, task: "TaskView") -> None:
        error = task.error or {}
        why = f"{error.get('code')}: {error.get('message')}" if error else task.status
        super().__init__(f"Task {task.id} ended: {why}")
        self.task = task


class DownloadBroken(ClientError):
    """The bytes that came are not those of the asset."""


@dataclass(frozen=True, slots=True)
class AssetView:
    """A file of a task. `size` in bytes, `width` and `height` in pixels, `duration_s` in seconds."""

    id: str
    url: str
    media_type: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What a task does not go on without: `next_attempt`, `worker`, `provider`, `storage` or `database`."""

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WarningView:
    """What is odd about a task that succeeded: a code such as `output_missing`, and words for people.

    `index` is which of the outputs that were asked for, from 0; None where it is about none of them.
    """

    code: str
    message: str
    index: int | None


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as the API shows it; `document` is all of it."""

    id: str
    model: str
    status: str
    progress: float | None
    outputs: tuple[AssetView, ...]
    document: Mapping[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        """Nothing more happens by itself."""
        return self.status in _ENDED

    @property
    def waiting_for(self) -> WaitingView | None:
        """What it does not go on without; None when it goes on, or has ended."""
        found = self.document.get("waiting_for")
        return WaitingView(found["what"], datetime.fromisoformat(found["since"])) if found else None

    @property
    def next_try_at(self) -> datetime | None:
        """When the next attempt is due; None unless it waits for that."""
        return _moment(self.document.get("next_try_at"))

    @property
    def cancel_requested_at(self) -> datetime | None:
        """When somebody first asked that it stops. It may still end otherwise."""
        return _moment(self.document.get("cancel_requested_at"))

    @property
    def warnings(self) -> tuple[WarningView, ...]:
        """What is odd about its outputs; empty where all is well."""
        found = self.document.get("warnings") or ()
        return tuple(WarningView(one["code"], one["message"], one.get("index")) for one in found)

    @property
    def error(self) -> Mapping[str, Any] | None:
        """Why it failed, or what nobody knows about the money of a canceled one; None where there is neither."""
        return self.document.get("error")

    @property
    def last_error(self) -> Mapping[str, Any] | None:
        """What the last try said, while the task has not ended."""
        return self.document.get("last_error")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a task: the task as it stands, or how far it has come (0.0 to 1.0)."""

    id: str
    task: TaskView | None
    progress: float | None
    message: str | None


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
                return _task(await self._json("POST", "/v1/tasks", json=body, headers=headers))
            except ApiUnreachable:
                if tries == _TRIES - 1:
                    raise
                await asyncio.sleep(_AGAIN_S * (tries + 1))
        raise AssertionError("unreachable")

    async def task(self, task_id: str) -> TaskView:
        """A task as it stands."""
        return _task(await self._json("GET", f"/v1/tasks/{_named(task_id)}"))

    async def tasks(self, *, limit: int = 20, **filters: str | None) -> tuple[TaskView, ...]:
        """The newest tasks, at most `limit`, with `status`, `kind`, `provider` or `code` as filters."""
        return tuple([task async for task in self.each_task(limit=limit, **filters)])

    async def each_task(self, *, limit: int | None = None, **filters: str | None) -> AsyncIterator[TaskView]:
        """The same one after the other, a page in memory at a time; None is all. `code` is that of the error.

        An empty filter is refused by the API: whoever has lost a value does not mean all tasks.
        """
        query: dict[str, str] = {name: value for name, value in filters.items() if value is not None}
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            page = await self._json("GET", "/v1/tasks", params={**query, "limit": str(size)})
            for document in page["data"]:
                yield _task(document)
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]
            left = None if left is None else left - len(page["data"])

    async def cancel(self, task_id: str) -> TaskView:
        """Ask that it stops. Until its status is `canceled` it may still end otherwise."""
        return _task(await self._json("POST", f"/v1/tasks/{_named(task_id)}/cancel"))

    async def retry(self, task_id: str, *, even_if_charged: bool = False) -> TaskView:
        """Run a failed task again. An order whose end is not known is taken up where the vendor can be asked.

        Elsewhere it may be paid for twice, and is refused with the code `may_be_charged`. With `even_if_charged`
        whatever is open there is forgotten, and the task is ordered anew.
        """
        body = {"json": {"even_if_charged": True}} if even_if_charged else {}
        return _task(await self._json("POST", f"/v1/tasks/{_named(task_id)}/retry", **body))

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
                    raise ApiUnreachable(self.url, _why(error)) from error
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
                    yield _event(fields)
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
            async for chunk in response.content.iter_chunked(_CHUNK):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != asset.sha256:
            raise DownloadBroken(f"The bytes of asset {asset.id} do not have the digest that it should have.")

    async def upload(self, path: str | os.PathLike[str]) -> AssetView:
        """Bring a file of one's own."""
        form = aiohttp.FormData()
        form.add_field("file", _chunks_of(Path(path)), filename=Path(path).name)
        return _asset(await self._json("POST", "/v1/uploads", data=form))

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

    def _request(self, method: str, path: str, *, refuse: bool = True, **options: Any) -> "_Answer":
        if self._session is None:
            raise RuntimeError("use the client as a context manager: async with GenPulse() as genpulse")
        return _Answer(self._session.request(method, self.url + path, **options), self.url, refuse)


class _Answer:
    """A response, once it is known to be one."""

    def __init__(self, request: "aiohttp.client._RequestContextManager", url: str, refuse: bool) -> None:  # noqa: FBT001
        self._request = request
        self._url = url
        self._refuse = refuse

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            response = await self._request.__aenter__()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiUnreachable(self._url, _why(error)) from error
        if self._refuse and response.status >= 400:
            refusal = await _refusal(response)
            response.release()
            raise refusal
        return response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._request.__aexit__(kind, error, trace)


def _named(text: str, *, several: bool = False) -> str:
    """An id as a part of a path, or as several parts. Raises `NoId` for what would lead to another path."""
    parts = text.split("/")
    if any(part in {"", ".", ".."} for part in parts) or (len(parts) > 1 and not several):
        raise NoId(text)
    return quote(text)


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__


async def _refusal(response: aiohttp.ClientResponse) -> ApiRefused:
    text = await response.text()
    try:
        problem = json.loads(text)
    except ValueError:
        return ApiRefused(response.status, "unknown", f"The server answered {response.status}: {text[:200]}")
    places = tuple(
        (item.get("pointer") or item.get("parameter") or "", item.get("detail", ""))
        for item in problem.get("errors", ())
    )
    detail = problem.get("detail") or problem.get("title") or "refused"
    return ApiRefused(response.status, problem.get("code", "unknown"), detail, places)


async def _chunks_of(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def _task(document: Mapping[str, Any]) -> TaskView:
    outputs = tuple(_asset(output) for output in document["outputs"])
    return TaskView(document["id"], document["model"], document["status"], document["progress"], outputs, document)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _asset(document: Mapping[str, Any]) -> AssetView:
    return AssetView(
        document["id"],
        document["url"],
        document["media_type"],
        document["bytes"],
        document["sha256"],
        document["width"],
        document["height"],
        document["duration_s"],
    )


def _event(fields: Mapping[str, str]) -> Event:
    data = json.loads(fields["data"])
    if fields.get("event") == "progress":
        return Event(fields.get("id", "0"), None, data["progress"], data.get("message"))
    return Event(fields.get("id", "0"), _task(data), None, None)

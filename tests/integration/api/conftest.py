"""The API as a real server on a loopback port, over in-memory twins, and a real client."""

import asyncio
import json
import os
import pty
import random
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import pytest
import uuid_utils.compat
import uvicorn
from fastapi import FastAPI
from pydantic import Field
from yarl import URL

from genpulse.adapters.database.assets.thumbnails import PostgresThumbnails
from genpulse.adapters.database.assets.uploaded_files import PostgresUploadedFiles
from genpulse.adapters.database.console import PostgresConsole
from genpulse.adapters.database.ended_work import PostgresEndedWork
from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.money.budgets import PostgresBudgets
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.memory.assets.thumbnails import MemoryThumbnails
from genpulse.adapters.memory.assets.uploaded_files import MemoryUploadedFiles
from genpulse.adapters.memory.console import MemoryConsole
from genpulse.adapters.memory.ended_work import MemoryEndedWork
from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.money.budgets import MemoryBudgets
from genpulse.adapters.memory.presence import MemoryPresence
from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.removal.deletion import MemoryDeletions
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.batches import MemoryBatches
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.adapters.thumbnails.program_maker import ProgramThumbnailMaker
from genpulse.api.app import create_app
from genpulse.api.door import Door
from genpulse.api.options import ApiOptions
from genpulse.dev.tls.certificates import TlsFiles
from genpulse.domain.attempt import End, Outcome, Worker
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.errors import DatabaseUnavailable, StorageUnavailable
from genpulse.domain.event import TaskEvent
from genpulse.domain.money.spending import UNLIMITED, Spending
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.task import Task
from genpulse.ports import EnvironmentFacts, Health, Services, State, Thumbnails
from genpulse.provider import (
    Call,
    Immediate,
    Input,
    Local,
    Model,
    Output,
    Provider,
    ProviderRejected,
    Report,
    Result,
)
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.options import WorkerOptions
from genpulse.worker.process import run_until
from tests import command
from tests.kept_pool import KeptPools

DEV = EnvironmentFacts(
    "dev", "development", "dev", "dev:", "local", "auto-spawn", "Development / Sandbox", "gp_dev_"
)
KEY_PREFIXES = {"gp_dev_": "dev", "gp_test_": "test", "gp_live_": "main"}


class Sketch(Input):
    """What the easel draws."""

    prompt: str
    width: int = Field(64, ge=1, le=2048, description="Pixels")


@dataclass
class Easel(Local[Sketch]):
    """Draws at once, or step by step as far as it is allowed to; fails as often as it is told to."""

    allowed: asyncio.Event = field(default_factory=asyncio.Event)
    half_way: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    error: Exception = field(default_factory=lambda: ProviderRejected("The easel fell over."))

    def __post_init__(self) -> None:
        self.allowed.set()

    async def run(self, call: Call[Sketch], report: Report) -> Result:
        if self.failures:
            self.failures -= 1
            raise self.error
        report(0.5, "half of it")
        self.half_way.set()
        await self.allowed.wait()
        return Result((Output(f"drawing of {call.input.prompt}".encode()),))


class Print(Immediate[Sketch]):
    """One call, one print."""

    async def generate(self, call: Call[Sketch]) -> Result:
        return Result((Output(b"\x00print"),))


def utc_now():
    return datetime.now(UTC)


class BlinkingStore(MemoryTaskStore):
    """Away whenever it is told to be."""

    away = False

    def _look(self) -> None:
        if self.away:
            raise DatabaseUnavailable("PostgreSQL does not answer.")

    async def submit(self, task, limits=UNLIMITED):
        self._look()
        return await super().submit(task, limits)

    async def get(self, task_id):
        self._look()
        return await super().get(task_id)

    async def find(self, query):
        self._look()
        return await super().find(query)

    async def look(self, query, at_most):
        self._look()
        return await super().look(query, at_most)

    async def counts(self):
        self._look()
        return await super().counts()

    async def spent_usd(self):
        self._look()
        return await super().spent_usd()

    async def now(self):
        self._look()
        return await super().now()


class FailingStorage(ObjectStorage):
    """Full, away, or broken whenever it is told to be."""

    error: Exception | None = None
    breaks: bool | Exception = False

    async def keep(self, content, *, limit_bytes=None, noting=None):
        if self.error:
            raise self.error
        return await super().keep(content, limit_bytes=limit_bytes, noting=noting)

    async def read(self, key, start, end, *, sha256=""):
        if self.error:
            raise self.error
        async for chunk in super().read(key, start, end, sha256=sha256):
            yield chunk[:1] if self.breaks else chunk
            if isinstance(self.breaks, Exception):
                raise self.breaks
            if self.breaks:
                raise StorageUnavailable("The asset storage does not answer.")


class CountedThumbnailMaker(ProgramThumbnailMaker):
    """Counts what it makes."""

    count = 0

    async def make(self, path, media_type, width):
        self.count += 1
        return await super().make(path, media_type, width)


@dataclass
class Answer:
    """A response that was read to its end."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self, status: int, code: str) -> dict[str, Any]:
        """The problem document, checked for what each of them must have."""
        assert self.status == status, self.body
        assert self.headers["Content-Type"] == "application/problem+json"
        document = self.json
        assert document["code"] == code, document
        assert document["type"] == f"urn:genpulse:problem:{code}"
        assert document["status"] == status
        assert document["title"]
        assert document["detail"]
        assert document["instance"].startswith("/")
        assert "Traceback" not in self.body.decode()
        return document


@dataclass
class Served:
    """A running API and all that stands behind it."""

    url: str
    app: FastAPI
    server: uvicorn.Server
    services: Services
    client: aiohttp.ClientSession
    easel: Easel
    store: BlinkingStore
    storage: FailingStorage

    async def call(self, method: str, path: str, *, encoded: bool = False, **options) -> Answer:
        url = URL(self.url + path, encoded=encoded)
        async with self.client.request(method, url, **options) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **options) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, **options) -> Answer:
        return await self.call("POST", path, **options)

    async def submit(self, model: str = "art/easel", headers=None, **changes) -> Answer:
        body = {"model": model, "input": {"prompt": "a fox"}} | changes
        return await self.post("/v1/tasks", json=body, headers=headers)

    async def upload(self, content: bytes) -> Answer:
        form = aiohttp.FormData()
        form.add_field("file", content, filename="file")
        return await self.post("/v1/uploads", data=form)

    async def ended(self, task_id: str) -> dict[str, Any]:
        """The task at its end, at most 10 seconds from now."""
        async with asyncio.timeout(60):
            while True:
                task = (await self.get(f"/v1/tasks/{task_id}")).json
                if task["status"] in {"succeeded", "failed", "canceled"}:
                    return task
                await asyncio.sleep(0.01)

    async def end(
        self,
        outcome: Outcome,
        *,
        provider: str = "art",
        ordered: bool = False,
        job_id: str | None = None,
        times: AttemptTimes | None = None,
    ) -> Task:
        """Let the next queued task of a provider end so; with `ordered` its order stays open at the vendor."""
        services, worker = self.services, Worker(self.services.new_id(), "w")
        await services.store.renew(worker, services.now())
        (begun,) = await services.store.claim(worker, provider, [services.new_id()])
        if ordered:
            await services.store.journal_order(begun.lease)
        if job_id:
            await services.store.journal_job(begun.lease, job_id)
        seq = await services.store.finish(
            End(begun.lease, outcome, order_open=ordered, job_id=job_id, times=times)
        )
        services.events.publish(TaskEvent(begun.task.id, seq))
        return await services.store.get(begun.task.id)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """A worker beside the body."""
        stop = asyncio.Event()
        options = WorkerOptions(concurrency=20, batch=10, lease_s=5.0, grace_s=0.1)
        task = asyncio.create_task(run_until(stop, self.services, options))
        try:
            yield
        finally:
            stop.set()
            await task


def charging(catalogue_of: Callable[[Easel], LoadedCatalogue]) -> Callable[[Easel], LoadedCatalogue]:
    """The catalogues of a fixture, in which the provider may cost money."""

    def make(easel: Easel) -> LoadedCatalogue:
        art = catalogue_of(easel).provider("art")
        assert art is not None
        return LoadedCatalogue([replace(art, paid=True)])

    return make


@pytest.fixture
def catalogue_of():
    def make(easel: Easel) -> LoadedCatalogue:
        models = (
            Model("easel", ("text-to-image",), Sketch, easel, title="Easel", description="Draws"),
            Model("print", ("text-to-image", "text-to-video"), Sketch, Print()),
        )
        return LoadedCatalogue([Provider("art", models)])

    return make


@pytest.fixture
async def serve(tmp_path, catalogue_of) -> AsyncIterator[Callable[..., Any]]:
    """Start an API: `await serve(options, environment=…, probes=…)`. `clock` is the store's."""
    async with AsyncExitStack() as stack:

        async def start(
            options: ApiOptions | None = None,
            root_path: str = "",
            *,
            clock=utc_now,
            doors: Sequence[Door] = (),
            http: Any = "auto",
            tls: TlsFiles | None = None,
            **changes,
        ) -> Served:
            queue, easel, deliveries = MemoryTaskQueue(), Easel(), MemoryDeliveries()
            storage = FailingStorage("memory:///", spool_dir=tmp_path)
            stack.push_async_callback(storage.close)
            maker = CountedThumbnailMaker()
            stack.push_async_callback(maker.close)
            services = Services(
                environment=DEV,
                store=(store := BlinkingStore(queue, deliveries, now=clock)),
                batches=MemoryBatches(store),
                queue=queue,
                gate=MemoryGate(),
                events=MemoryEventBus(),
                deliveries=deliveries,
                ended_work=MemoryEndedWork(store, deliveries),
                keys=MemoryKeys(store),
                retention=(retention := MemoryRetention(store, deliveries)),
                deletions=MemoryDeletions(store, deliveries, retention),
                budgets=MemoryBudgets(store),
                uploaded_files=MemoryUploadedFiles(store),
                console=MemoryConsole(),
                sender=MemoryMessageSender(),
                presence=MemoryPresence(),
                storage=storage,
                catalogue=catalogue_of(easel),
                probes=(),
                retry=RetryPolicy(max_attempts=1),
                spending=Spending(),
                retention_policy=RetentionPolicy(),
                now=lambda: datetime.now(UTC),
                new_id=uuid_utils.compat.uuid7,
                random=random.Random(7).random,
                thumbnails=Thumbnails(MemoryThumbnails(store), maker),
            )
            services = replace(services, **changes)
            options = options or ApiOptions(version="1.2.3", api_key_prefixes=KEY_PREFIXES)
            app = create_app(lambda: nullcontext(services), options, doors)
            url, server = await stack.enter_async_context(_running(app, root_path, http, tls))
            trusting = ssl.create_default_context(cafile=tls.bundle) if tls else True
            connector = aiohttp.TCPConnector(ssl=trusting)
            client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            return Served(url, app, server, services, client, easel, store, storage)

        yield start


@asynccontextmanager
async def rows_on(url: str, pools: KeptPools) -> AsyncIterator[dict[str, Any]]:
    """What `serve` takes to keep its rows in PostgreSQL."""
    async with pools.lent(3, "dev") as pool:
        store, queue = PostgresTaskStore(pool), PostgresTaskQueue(pool, url, environment="dev")
        maker = CountedThumbnailMaker()
        yield {
            "store": store,
            "queue": queue,
            "deliveries": PostgresDeliveries(pool, "dev"),
            "ended_work": PostgresEndedWork(pool, "dev", lag_s=0.01),
            "keys": PostgresKeys(pool),
            "retention": PostgresRetention(pool),
            "deletions": PostgresDeletions(pool, "dev"),
            "budgets": PostgresBudgets(pool),
            "uploaded_files": PostgresUploadedFiles(pool),
            "console": PostgresConsole(pool),
            "thumbnails": Thumbnails(PostgresThumbnails(pool), maker),
        }
        await maker.close()
        await queue.close()
        await store.close()


@pytest.fixture
async def api(serve) -> Served:
    """An API in the environment `dev`."""
    return await serve()


@pytest.fixture(params=["memory", "postgresql"])
async def either(request, serve):
    """An API over each of the two stores."""
    if request.param == "memory":
        yield await serve()
        return
    async with rows_on(request.getfixturevalue("migrated_url"), request.getfixturevalue("pools")) as changes:
        yield await serve(**changes)


@asynccontextmanager
async def _running(
    app: FastAPI, root_path: str, http: Any = "auto", tls: TlsFiles | None = None
) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        root_path=root_path,
        http=http,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        ws="none",
        lifespan="on",
        log_level="warning",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.005)
    try:
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        yield f"{scheme}://{host}:{listener.getsockname()[1]}", server
    finally:
        app.state.context.stopping.set()
        server.should_exit = True
        await task


@pytest.fixture
def probe():
    """A probe that answers so, after so many seconds."""

    def make(name: str, state: State, detail: str = "", delay_s: float = 0.0):
        async def look() -> Health:
            await asyncio.sleep(delay_s)
            return Health(name, state, detail)

        return look

    return make


@pytest.fixture
def genpulse(tmp_path):
    """Run a command: `await genpulse(api, "tasks", …)` gives exit code, standard output, standard error."""

    async def run(api, *arguments, stdin=subprocess.DEVNULL, **variables):
        words, environment = (*arguments, "--api", api.url), {"PATH": os.defpath, **variables}
        running = partial(command.run, *words, folder=tmp_path, environment=environment, stdin=stdin)
        done = await asyncio.to_thread(running)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def typed(genpulse):
    """The same for a person who types one line."""

    async def run(api, line, *arguments):
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{line}\n".encode())
            return await genpulse(api, *arguments, stdin=theirs)
        finally:
            os.close(ours)
            os.close(theirs)

    return run

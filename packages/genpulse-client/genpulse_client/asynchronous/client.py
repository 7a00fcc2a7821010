"""The client itself: `AsyncGenPulse`."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from genpulse_client import request as requests
from genpulse_client.address import address_of
from genpulse_client.asynchronous import batch_watching, files, paging, watching
from genpulse_client.asynchronous.connection import AsyncConnection
from genpulse_client.client_terms import ClientTerms
from genpulse_client.errors import TaskFailed
from genpulse_client.filters import Moment, TaskFilter, Words, usage_query
from genpulse_client.order import Order
from genpulse_client.results.action import Action, ActionOutcome, action_outcome_of
from genpulse_client.results.asset import Asset
from genpulse_client.results.batch import Batch, BatchEvent, batch_of, batches_of
from genpulse_client.results.client_token import ClientToken, client_token_of
from genpulse_client.results.event import Event
from genpulse_client.results.model import Model, list_of, model_of
from genpulse_client.results.task import Priority, Status, Task, task_of, tasks_of
from genpulse_client.results.upload import Upload, upload_of
from genpulse_client.results.usage import Usage, usage_of
from genpulse_client.retry import RetryLimits
from genpulse_client.webhook import verify_webhook

OnEvent = Callable[[Event], None]


class AsyncGenPulse:
    """A client of GenPulse for asyncio.

    It may be used as a context manager, or be kept as long as a program runs. `url` is by itself that of
    GENPULSE_URL, or http://127.0.0.1:8000; `api_key` that of GENPULSE_API_KEY. `retries` says for how long a call
    is sent again, `silence_s` for how many seconds a server may be silent.

    Every call raises `ApiRefused` where the API says no, `ApiUnreachable` where nothing answers, and
    `UnexpectedAnswer` where something else does; all are `GenPulseError`.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        retries: RetryLimits = RetryLimits(),  # noqa: B008 - it is frozen
        silence_s: float = 90.0,
    ) -> None:
        address = address_of(url, api_key)
        self.url = address.url
        self._connection = AsyncConnection(address, retries, silence_s)

    async def __aenter__(self) -> "AsyncGenPulse":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. A later call opens new ones."""
        await self._connection.aclose()

    async def submit(
        self,
        model: str | Sequence[str] | None,
        input: Mapping[str, Any],  # noqa: A002 - the name of the field
        *,
        kind: str | None = None,
        priority: Priority | None = None,
        webhook_url: str | None = None,
        deadline_s: float | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        retain_s: int | None = None,
        run_at: datetime | str | None = None,
    ) -> Task:
        """Submit a task, and come back at once. The options are the fields of `Order`.

        A connection that breaks is tried again under one idempotency key, so that it stays one task.
        """
        order = Order(
            model, input, kind, priority, webhook_url, deadline_s, metadata or {}, idempotency_key,
            retain_s, run_at,
        )  # fmt: skip
        return task_of(await self._connection.document(requests.submit(order)))

    async def submit_batch(
        self, orders: Sequence[Order], *, idempotency_key: str | None = None
    ) -> tuple[Task, ...]:
        """Submit 1 to 1000 tasks: all of them, or none. The tasks come in the order of the orders.

        Under a key for the whole, or one for each order, what is sent again is not paid for again.
        """
        return tasks_of(await self._connection.document(requests.submit_batch(orders, idempotency_key)))

    async def check_batch(self, orders: Sequence[Order]) -> None:
        """Look whether all of these orders would be taken, and submit none. Raises `ApiRefused`."""
        await self._connection.document(requests.check_batch(orders))

    async def batch(self, batch_id: str) -> Batch:
        """A batch as it stands. The `batch` of a task is the id of its."""
        return batch_of(await self._connection.document(requests.batch(batch_id)))

    def batches(self, *, limit: int | None = None) -> AsyncGenerator[Batch, None]:
        """Batches, newest first: `limit` of them at most, None is all. Pages are asked for as they are needed."""
        return paging.each_of(self._connection, requests.batches, batches_of, limit)

    def watch_batch(
        self, batch: str | Batch, *, last_event_id: str | None = None
    ) -> AsyncGenerator[BatchEvent, None]:
        """How a batch stands, and each task of it that ends, until all have ended.

        A stream that breaks is taken up where it was; then an end may come twice.
        """
        return batch_watching.batch_events_of(self._connection, _id_of(batch), last_event_id)

    async def cancel_batch(self, batch: str | Batch) -> Batch:
        """Ask that every task of a batch stops that has not ended."""
        return batch_of(await self._connection.document(requests.cancel_batch(_id_of(batch))))

    async def retry_batch(self, batch: str | Batch) -> Batch:
        """Run those failed tasks of a batch again that can succeed."""
        return batch_of(await self._connection.document(requests.retry_batch(_id_of(batch))))

    async def generate(
        self,
        model: str | Sequence[str] | None,
        input: Mapping[str, Any],  # noqa: A002 - the name of the field
        *,
        kind: str | None = None,
        priority: Priority | None = None,
        webhook_url: str | None = None,
        deadline_s: float | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        retain_s: int | None = None,
        run_at: datetime | str | None = None,
        timeout_s: float | None = None,
        on_event: OnEvent | None = None,
    ) -> Task:
        """Submit a task, and wait until it has succeeded. `on_event` is called with each `Event` on the way.

        Raises `TaskFailed`, and `TaskNotEnded` after `timeout_s`.
        """
        order = Order(
            model, input, kind, priority, webhook_url, deadline_s, metadata or {}, idempotency_key,
            retain_s, run_at,
        )  # fmt: skip
        submitted = task_of(await self._connection.document(requests.submit(order)))
        task = await self.wait(submitted.id, timeout_s=timeout_s, on_event=on_event)
        if task.status != "succeeded":
            raise TaskFailed(task)
        return task

    async def wait(
        self, task: str | Task, *, timeout_s: float | None = None, on_event: OnEvent | None = None
    ) -> Task:
        """The task at its end, however that is. Raises `TaskNotEnded` after `timeout_s`: the task goes on."""
        return await watching.ended_task(self._connection, _id_of(task), timeout_s, on_event)

    def watch(
        self, task: str | Task, *, last_event_id: str | None = None, timeout_s: float | None = None
    ) -> AsyncGenerator[Event, None]:
        """What happens to a task until it has ended. A stream that breaks is taken up where it was.

        Only what is newer than `last_event_id` comes, where one is given. Raises `TaskNotEnded` after `timeout_s`.
        """
        return watching.events_of(self._connection, _id_of(task), last_event_id, timeout_s)

    async def get(self, task_id: str) -> Task:
        """A task as it stands."""
        return task_of(await self._connection.document(requests.get(task_id)))

    def list(
        self,
        *,
        status: Status | Sequence[Status] | None = None,
        kind: Words = None,
        provider: Words = None,
        model: Words = None,
        code: Words = None,
        key: Words = None,
        batch: str | None = None,
        ids: Sequence[str] | None = None,
        id_prefix: str | None = None,
        text: str | None = None,
        metadata: Mapping[str, str | Sequence[str]] | None = None,
        created_after: Moment = None,
        created_before: Moment = None,
        limit: int | None = None,
    ) -> AsyncGenerator[Task, None]:
        """Tasks, newest first: `limit` of them at most, None is all. The filters are the fields of `TaskFilter`.

        Pages are asked for as they are needed.
        """
        task_filter = TaskFilter(
            status, kind, provider, model, code, key, batch, ids, id_prefix, text, metadata or {},
            created_after, created_before,
        )  # fmt: skip
        return self.matching(task_filter, limit=limit)

    def matching(self, wanted: TaskFilter, *, limit: int | None = None) -> AsyncGenerator[Task, None]:
        """The same, where the filters are one value."""
        query = wanted.query()
        return paging.each_of(self._connection, lambda page: requests.tasks((*query, *page)), tasks_of, limit)

    async def cancel(self, task: str | Task) -> Task:
        """Ask that it stops. Until its status is `canceled` it may still end otherwise."""
        return task_of(await self._connection.document(requests.cancel(_id_of(task))))

    async def retry(self, task: str | Task, *, even_if_charged: bool = False) -> Task:
        """Run a failed task again. An order whose end is not known is taken up where the vendor can be asked.

        Elsewhere it may be paid for twice, and is refused with the code `may_be_charged`. With `even_if_charged`
        whatever is open there is forgotten, and the task is ordered anew.
        """
        request = requests.retry(_id_of(task), even_if_charged=even_if_charged)
        return task_of(await self._connection.document(request))

    async def act(
        self, action: Action, wanted: TaskFilter, *, every: bool = False, confirm: str | None = None
    ) -> ActionOutcome:
        """One action on all tasks that fit. Without `confirm` it is counted what would be done, and nothing is.

        With the `confirm` of that answer it is done; where one call does not come to the end, the next one's goes
        on. `every` says that all tasks are meant where the filter leaves none out.
        """
        request = requests.act(action, wanted, every=every, confirm=confirm)
        return action_outcome_of(await self._connection.document(request))

    async def attempts(self, task: str | Task) -> tuple[Mapping[str, Any], ...]:
        """What was tried for a task, oldest first, as the API says it."""
        return list_of(await self._connection.document(requests.attempts(_id_of(task))))

    async def deliveries(self, task: str | Task) -> tuple[Mapping[str, Any], ...]:
        """The webhook messages about a task: where to, how they stand, what was answered, as the API says it."""
        return list_of(await self._connection.document(requests.deliveries(_id_of(task))))

    async def ledger(self, task: str | Task) -> tuple[Mapping[str, Any], ...]:
        """What was reserved, settled, released and refunded for a task, oldest first, as the API says it."""
        return list_of(await self._connection.document(requests.ledger(_id_of(task))))

    async def delete(self, thing: str | Task | Asset) -> None:
        """Delete a task (an id is a task's), its history and its bytes, or a file. Bytes of others stay."""
        request = requests.delete_asset(thing.id) if isinstance(thing, Asset) else requests.delete(_id_of(thing))
        await self._connection.document(request)

    async def delete_asset(self, asset_id: str) -> None:
        """Delete a file by its id: an upload, or an output of a task."""
        await self._connection.document(requests.delete_asset(asset_id))

    async def upload(self, source: str | os.PathLike[str] | bytes | BinaryIO, *, name: str | None = None) -> Asset:
        """Bring a file: its path, its bytes, or something to read from. It may then stand in an input."""
        return await files.kept_file(self._connection, source, name)

    async def create_upload(
        self, *, max_bytes: int | None = None, media_type: str | None = None, expires_in_s: int | None = None
    ) -> Upload:
        """An address by which somebody without a key brings one file, such as a page in a browser.

        `media_type` is what it may be, such as `image/*` or `image/png`, and `expires_in_s` for how many seconds
        the address is good, 3600 at most.
        """
        request = requests.create_upload(max_bytes, media_type, expires_in_s)
        return upload_of(await self._connection.document(request))

    async def create_client_token(self, terms: ClientTerms) -> ClientToken:
        """Let a page or an app do a little of what this API key may, for minutes. Hand its `token` on.

        `AsyncGenPulse(url, token)` works with it as with an API key.
        """
        request = requests.create_client_token(terms)
        return client_token_of(await self._connection.document(request))

    async def client_tokens(self) -> tuple[ClientToken, ...]:
        """Those that are good, newest first, with what was done by each."""
        document = await self._connection.document(requests.client_tokens())
        return tuple(client_token_of(one) for one in list_of(document))

    async def client_token(self, token: str | ClientToken) -> ClientToken:
        """One of them by its id, with what was done by it."""
        return client_token_of(await self._connection.document(requests.client_token(_id_of(token))))

    async def revoke_client_token(self, token: str | ClientToken) -> None:
        """Let it be good for nothing any more; tasks that were submitted by it run on."""
        await self._connection.document(requests.revoke_client_token(_id_of(token)))

    async def download(self, asset: Asset, path: str | os.PathLike[str]) -> Path:
        """Save a file under the path, whole or not at all. Raises `DownloadBroken`, `OSError`."""
        return await files.saved_file(self._connection, asset, path)

    def read(self, asset: Asset) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece. Raises `DownloadBroken` at the end where they are not its own."""
        return files.bytes_of(self._connection, asset)

    async def models(self) -> tuple[Model, ...]:
        """What can be asked for."""
        document = await self._connection.document(requests.models())
        return tuple(model_of(one) for one in list_of(document))

    async def model(self, model_id: str) -> Model:
        """One model, by `provider/name`."""
        return model_of(await self._connection.document(requests.model(model_id)))

    async def routes(self) -> tuple[Mapping[str, Any], ...]:
        """Names that an order may say in place of a model, and the models of each, as the API says it."""
        return list_of(await self._connection.document(requests.routes()))

    async def providers(self) -> tuple[Mapping[str, Any], ...]:
        """Who does it, and how their accounts are, as the API says it."""
        return list_of(await self._connection.document(requests.providers()))

    async def usage(
        self, *, since: Moment = None, until: Moment = None, group_by: str | Sequence[str] = ()
    ) -> Usage:
        """Money and counts, by `day`, `provider`, `model`, `key` or `metadata.<name>`."""
        return usage_of(await self._connection.document(requests.usage(usage_query(since, until, group_by))))

    async def budgets(self, *, customer: str | None = None) -> tuple[Mapping[str, Any], ...]:
        """What may be spent and done, with how much of it is used, as the API says it.

        With `customer` the limits of that end customer of the API key come last.
        """
        return list_of(await self._connection.document(requests.budgets(customer)))

    verify_webhook = staticmethod(verify_webhook)


def _id_of(thing: str | Task | Batch | ClientToken) -> str:
    return thing if isinstance(thing, str) else thing.id

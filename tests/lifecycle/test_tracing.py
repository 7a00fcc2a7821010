"""Spans of a task's life: what lies within what, and what is a trace of its own."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.contextvars import get_contextvars

from genpulse.adapters.memory.tasks.traces import MemoryTraces
from genpulse.background.loops import Loops
from genpulse.domain.errors import DatabaseUnavailable, ProviderRejected, ProviderUnavailable
from genpulse.domain.submission.order import Order
from genpulse.domain.trace_context import TraceContext
from genpulse.domain.webhook_delivery import Answer
from genpulse.lifecycle.submission.submit import submit
from genpulse.lifecycle.submission.submit_batch import submit_batch
from genpulse.lifecycle.webhooks.delivery import WebhookDeliverer
from genpulse.ports import IncomingRequest
from tests.lifecycle.conftest import World
from tests.lifecycle.test_delivery import describe
from tests.span_book import SpanBook

pytestmark = pytest.mark.parametrize("rows", ["memory"], indirect=True)

CALLER = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 1, "vendor=x")
NOT_SAMPLED = replace(CALLER, flags=0)
HOOK = "https://receiver.example.com/hook?token=secret"
SUBMIT = IncomingRequest("POST", "http", "r-1")


def traced(world: World, book: SpanBook) -> World:
    services = replace(world.services, tracing=book.tracing, traces=MemoryTraces(world.services.store))
    return replace(world, services=services)


@pytest.fixture
def book() -> SpanBook:
    return SpanBook()


@pytest.fixture
def told(world, book) -> World:
    return traced(world, book)


async def requested(told: World, model: str = "art/painter", context: TraceContext | None = None, **changes):
    """A task that came by a request."""
    with told.services.tracing.request(replace(SUBMIT, context=context)) as span:
        task = await told.submit(model, **changes)
        span.answered("/v1/tasks", 202)
    return task


async def done(told: World, model: str = "art/painter", context: TraceContext | None = None, **changes):
    task = await requested(told, model, context, **changes)
    async with told.worker():
        return await told.ended(task)


async def delivered(told: World, *answers: Answer) -> list:
    for answer in answers or (Answer(204),):
        told.services.sender._answers = iter([answer])
        deliverer = WebhookDeliverer(told.services, describe, Loops())
        await deliverer.take()
        await deliverer.wait_until_idle()
    return told.services.sender.sent


@pytest.mark.parametrize(
    ("model", "steps"),
    [
        ("art/painter", [("run painter",), ("store outputs",)]),
        ("art/shop", [("generate_content shop",), ("store outputs",)]),
        ("art/studio", [("order studio",), ("wait studio",), ("collect studio",), ("store outputs",)]),
    ],
)
async def test_every_engine_has_its_steps_within_the_attempt(told, book, model, steps):
    await done(told, model, kind="text-to-video" if model == "art/studio" else "text-to-image")
    assert book.roots() == [("POST /v1/tasks", ("send art", ("queue wait",), ("process art", *steps)))]
    (attempt,) = book.named("process art")
    within = [span for span in book.spans if span.parent and span.parent.span_id == attempt.context.span_id]
    assert all(attempt.start_time <= one.start_time <= one.end_time <= attempt.end_time for one in within)
    (engine, *_, _store) = within
    assert engine.attributes["gen_ai.provider.name"] == "art"
    assert engine.attributes["gen_ai.request.model"] == model.partition("/")[2]
    assert engine.attributes["gen_ai.output.type"] == ("video" if model == "art/studio" else "image")


async def test_each_attempt_is_a_span_of_its_own_with_its_wait(told, book):
    told.painter.errors = [ProviderUnavailable("the words of a vendor"), ProviderUnavailable("again")]
    await done(told)
    attempts = book.named("process art")
    assert [span.attributes["genpulse.attempt.number"] for span in attempts] == [1, 2, 3]
    assert [span.attributes["genpulse.outcome"] for span in attempts] == [
        "retry_later",
        "retry_later",
        "succeeded",
    ]
    assert [span.attributes.get("error.type") for span in attempts] == ["provider_unavailable"] * 2 + [None]
    (send,) = book.named("send art")
    assert {span.parent.span_id for span in attempts} == {send.context.span_id}
    waits = book.named("queue wait")
    assert [span.attributes["genpulse.attempt.number"] for span in waits] == [1, 2, 3]
    for attempt, wait in zip(attempts[:-1], waits[1:], strict=True):
        assert wait.start_time >= attempt.start_time
    assert "the words of a vendor" not in "".join(span.to_json() for span in book.spans)


async def test_a_failure_is_told_by_its_code_alone(told, book):
    told.painter.errors = [ProviderRejected("the prompt 'a fox' is refused")]
    await done(told)
    (attempt,) = book.named("process art")
    assert attempt.attributes["error.type"] == "provider_rejected"
    assert not attempt.status.is_ok
    assert not any(span.events or span.status.description for span in book.spans)


async def test_the_trace_of_a_caller_is_gone_on_with(told, book):
    task = await done(told, context=CALLER, webhook_url=HOOK)
    (sent,) = await delivered(told)
    assert {f"{span.context.trace_id:032x}" for span in book.spans} == {CALLER.trace_id}
    (request,) = book.named("POST /v1/tasks")
    assert f"{request.parent.span_id:016x}" == CALLER.span_id
    (hook,) = book.named("POST webhook")
    assert sent.headers == {
        "traceparent": f"00-{CALLER.trace_id}-{hook.context.span_id:016x}-01",
        "tracestate": "vendor=x",
    }
    assert hook.attributes["server.address"] == "receiver.example.com"
    assert hook.attributes["messaging.message.id"] == sent.message_id
    assert "secret" not in hook.to_json()
    assert (await told.services.traces.of(task.id)).context.trace_id == CALLER.trace_id


async def test_a_message_that_is_sent_again_is_told_again(told, book):
    await done(told, webhook_url=HOOK)
    store = told.services.deliveries
    told.services.sender._answers = iter([Answer(503, "answered 503")])
    deliverer = WebhookDeliverer(told.services, describe, Loops())
    await deliverer.take()
    await deliverer.wait_until_idle()
    (task_id,) = told.services.store._tasks
    (delivery,) = await store.of_task(task_id)
    await store.again(task_id, delivery.id)
    await deliverer.take()
    await deliverer.wait_until_idle()
    first, second = book.named("POST webhook")
    assert (first.attributes["http.response.status_code"], first.attributes["error.type"]) == (503, "503")
    assert "http.request.resend_count" not in first.attributes
    assert (second.attributes["http.response.status_code"], second.status.is_ok) == (204, True)
    assert second.attributes["http.request.resend_count"] == 1


async def test_who_is_not_trusted_gets_a_link(world):
    book = SpanBook(trusts_callers=False)
    told = traced(world, book)
    await done(told, context=NOT_SAMPLED)
    (request,) = book.named("POST /v1/tasks")
    assert request.parent is None
    assert [f"{link.context.trace_id:032x}" for link in request.links] == [CALLER.trace_id]
    assert f"{request.context.trace_id:032x}" != CALLER.trace_id


async def test_what_a_caller_does_not_sample_is_handed_on_and_not_told(told, book):
    task = await done(told, context=NOT_SAMPLED, webhook_url=HOOK)
    (sent,) = await delivered(told)
    assert book.spans == []
    assert (await told.services.traces.of(task.id)).context.is_sampled is False
    version, trace_id, _, flags = sent.headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", CALLER.trace_id, "00")


async def test_of_what_we_do_not_sample_nothing_is_kept(world):
    book = SpanBook(sample=0.0)
    told = traced(world, book)
    task = await done(told, webhook_url=HOOK)
    (sent,) = await delivered(told)
    assert book.spans == []
    assert await told.services.traces.of(task.id) is None
    assert sent.headers == {}


async def test_a_part_of_the_traces_that_begin_here_is_kept_each_whole_or_not_at_all(world):
    book = SpanBook(sample=0.5)
    told = traced(world, book)
    tasks = [await requested(told) for _ in range(200)]
    kept = [task for task in tasks if await told.services.traces.of(task.id)]
    assert 50 < len(kept) < 150
    assert Counter(book.roots()) == {("POST /v1/tasks", ("send art",)): len(kept)}


async def test_of_callers_that_are_not_trusted_the_same_part_is_kept(world):
    book = SpanBook(sample=0.0, trusts_callers=False)
    told = traced(world, book)
    task = await requested(told, context=CALLER)
    assert book.spans == []
    assert await told.services.traces.of(task.id) is None


async def test_the_log_names_the_request_of_a_trace_that_nobody_keeps(world):
    told = traced(world, SpanBook(sample=0.0))
    with told.services.tracing.request(SUBMIT):
        assert get_contextvars() == {"request_id": SUBMIT.id}


async def test_a_caller_that_samples_is_heard_where_we_sample_nothing(world):
    book = SpanBook(sample=0.0)
    await done(traced(world, book), context=CALLER)
    assert len(book.named("process art")) == 1


async def test_each_task_of_a_batch_has_a_trace_that_links_to_it(told, book):
    orders = [Order("art/painter", {"prompt": "a fox"}) for _ in range(3)]
    with told.services.tracing.request(replace(SUBMIT, context=CALLER)) as span:
        batch = await submit_batch(told.services, orders)
        span.answered("/v1/tasks/batch", 202)
    async with told.worker():
        for one in batch.tasks:
            await told.ended(one.task)
    (send,) = book.named("send batch")
    assert send.attributes["messaging.batch.message_count"] == 3
    trees = Counter(book.roots())
    one = ("create art", ("queue wait",), ("process art", ("run painter",), ("store outputs",)))
    assert trees == {("POST /v1/tasks/batch", ("send batch",)): 1, one: 3}
    created = book.named("create art")
    assert len({span.context.trace_id for span in created}) == 3
    assert all([link.context.span_id for link in span.links] == [send.context.span_id] for span in created)


@pytest.mark.parametrize(("sample", "context"), [(0.0, None), (1.0, NOT_SAMPLED)])
async def test_a_batch_that_is_not_sampled_tells_nothing(world, sample, context):
    book = SpanBook(sample)
    told = traced(world, book)
    with told.services.tracing.request(replace(SUBMIT, context=context)):
        batch = await submit_batch(told.services, [Order("art/painter", {"prompt": "a"})] * 2)
    kept = [await told.services.traces.of(one.task.id) for one in batch.tasks]
    assert book.spans == []
    assert [one and one.context.trace_id for one in kept] == [context and context.trace_id] * 2


async def test_an_attempt_long_after_the_submit_is_a_trace_of_its_own(world):
    ahead = [timedelta(0)]
    book = SpanBook(now=lambda: datetime.now(UTC) + ahead[0])
    told = traced(world, book)
    task = await requested(told, context=CALLER, webhook_url=HOOK)
    ahead[0] = timedelta(hours=2)
    async with told.worker():
        await told.ended(task)
    (sent,) = await delivered(told)
    (send,), (attempt,), (hook,) = (book.named(name) for name in ("send art", "process art", "POST webhook"))
    for late in (attempt, hook):
        assert late.parent is None
        assert [link.context.span_id for link in late.links] == [send.context.span_id]
        assert late.context.trace_id != send.context.trace_id
    assert sent.headers["traceparent"].split("-")[1] == f"{hook.context.trace_id:032x}"
    assert book.named("queue wait") == []
    assert attempt.attributes["genpulse.queue.wait_s"] >= 0


async def test_a_repeated_submit_is_told_as_one(told, book):
    order = Order("art/painter", {"prompt": "a fox"})
    first = await submit(told.services, order, idempotency_key="k")
    await submit(told.services, order, idempotency_key="k")
    _, again = book.named("send art")
    assert again.attributes["genpulse.replayed"] is True
    assert again.attributes["messaging.message.id"] == str(first.task.id)


async def test_a_task_without_a_trace_is_none(world, book):
    task = await world.submit("art/painter", webhook_url=HOOK)
    told = traced(world, book)
    async with told.worker():
        await told.ended(task)
    (sent,) = await delivered(told)
    assert book.spans == []
    assert sent.headers == {}


async def test_no_task_waits_for_a_trace_that_cannot_be_read(told, book):
    class Away:
        async def of(self, task_id):
            raise DatabaseUnavailable("it is away")

    task = await requested(told)
    blind = replace(told, services=replace(told.services, traces=Away()))
    async with blind.worker():
        assert (await blind.ended(task)).outputs
    assert book.named("process art") == []


async def test_lines_of_the_log_are_about_their_own_task(told, book, caplog):
    seen = []

    class Noted(logging.Handler):
        def emit(self, record):
            seen.append((record.getMessage(), dict(get_contextvars())))

    told.painter.errors = [ProviderRejected("one"), ProviderRejected("two")]
    handler = Noted()
    logging.getLogger("genpulse").addHandler(handler)
    try:
        tasks = [await requested(told) for _ in range(2)]
        async with told.worker():
            await asyncio.gather(*(told.ended(task) for task in tasks))
    finally:
        logging.getLogger("genpulse").removeHandler(handler)
    for task in tasks:
        (ids,) = [ids for message, ids in seen if message.startswith(f"task {task.id} failed")]
        assert ids["task_id"] == str(task.id)
        (attempt,) = [
            one for one in book.named("process art") if one.attributes["messaging.message.id"] == str(task.id)
        ]
        assert ids["trace_id"] == f"{attempt.context.trace_id:032x}"
    assert get_contextvars() == {}

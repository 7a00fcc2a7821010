"""Requests to vendors: a span each, and the trace context for those alone that declare to take it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from opentelemetry.trace import get_current_span

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.otel.vendor_requests import MOST
from genpulse.domain.attempt import Attempt
from genpulse.domain.trace_context import TaskTrace, TraceContext
from genpulse.ports import EngineStep
from genpulse.provider import ProviderSettings
from genpulse.provider.account import Account
from genpulse.provider.http import Reach, Request
from genpulse.provider.http.errors import AnswerLost
from genpulse.providers.openai_compatible import provider
from tests.contract.conftest import new_task, now
from tests.span_book import SpanBook

CALLER = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 1, "vendor=x")


class Vendor:
    """Keeps the headers of what it is asked, and answers by the path."""

    def __init__(self) -> None:
        self.headers: list = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(request.headers)
        if request.path == "/broken":
            request.transport.abort()
        return web.Response(status=503 if request.path == "/busy" else 200, text="{}")


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", vendor.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield vendor
    await runner.cleanup()


@pytest.fixture
def book() -> SpanBook:
    return SpanBook()


@pytest.fixture
async def http(book):
    client = HttpClient("1.0")
    yield book.traced(client)
    await client.close()


def attempt(book: SpanBook, context: TraceContext = CALLER):
    task = new_task(kind="text-to-image", provider="studio", model="studio/m").queued(now(), None, None)
    begun = Attempt.start(task, task.id, "w", now())
    return book.tracing.attempt(task, begun, TaskTrace(context)), task


@pytest.mark.parametrize("takes", [True, False])
async def test_only_who_declares_it_is_given_the_context(http, book, vendor, takes):
    account = Account(http, vendor.url, {"Authorization": "Bearer secret-key"}, traced=takes)
    step, task = attempt(book)
    with step, book.tracing.engine_step(EngineStep.ORDER, task):
        await account.order("/images?signature=secret", json={"prompt": "secret"})
    (span,) = book.named("POST")
    (order,) = book.named("order m")
    assert span.parent.span_id == order.context.span_id
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(vendor.url.rpartition(":")[2]),
    }
    assert order.attributes["genpulse.vendor.requests"] == 1
    (headers,) = vendor.headers
    expected = (f"00-{CALLER.trace_id}-{span.context.span_id:016x}-01", "vendor=x") if takes else (None, None)
    assert (headers.get("traceparent"), headers.get("tracestate")) == expected
    assert "secret" not in "".join(one.to_json() for one in book.spans)


async def test_what_is_not_sampled_is_handed_on_as_such(http, book, vendor):
    step, task = attempt(book, TraceContext(CALLER.trace_id, CALLER.span_id, 0))
    with step, book.tracing.engine_step(EngineStep.ORDER, task):
        await Account(http, vendor.url, traced=True).order("/x")
    assert book.spans == []
    assert vendor.headers[0]["traceparent"].startswith(f"00-{CALLER.trace_id}-")
    assert vendor.headers[0]["traceparent"].endswith("-00")


async def test_outside_of_a_trace_nothing_is_told(http, book, vendor):
    await Account(http, vendor.url, traced=True).probe("GET", "/models")
    assert book.spans == []
    assert "traceparent" not in vendor.headers[0]


async def test_files_that_somebody_names_are_told_nothing_of_the_trace(http, book, vendor):
    reach = Reach(frozenset({vendor.url.partition("//")[2]}))
    step, task = attempt(book)
    with step, book.tracing.engine_step(EngineStep.COLLECT, task):
        chunks = [one async for one in http.fetch_public(f"{vendor.url}/file?signature=secret", reach=reach)]
        own = [one async for one in http.fetch_own(f"{vendor.url}/own", headers={}, reach=reach)]
    assert chunks == own == [b"{}"]
    assert [span.parent.span_id for span in book.named("GET")] == [book.named("collect m")[0].context.span_id] * 2
    assert not any("traceparent" in headers for headers in vendor.headers)
    assert "secret" not in "".join(one.to_json() for one in book.spans)


async def test_refusals_and_lost_answers_are_failures_of_their_spans(http, book, vendor):
    step, _ = attempt(book)
    with step:
        await http.send(Request("GET", f"{vendor.url}/busy"))
        with pytest.raises(AnswerLost):
            await http.send(Request("POST", f"{vendor.url}/broken"))
    busy, broken = book.named("GET")[0], book.named("POST")[0]
    assert (busy.attributes["error.type"], busy.status.is_ok) == ("503", False)
    assert (broken.attributes["error.type"], broken.status.description) == ("AnswerLost", None)


async def test_a_job_that_is_asked_about_all_day_has_only_so_many_spans(http, book, vendor):
    step, task = attempt(book)
    with step, book.tracing.engine_step(EngineStep.WAIT, task):
        for _ in range(MOST + 5):
            await http.send(Request("GET", f"{vendor.url}/job", traced=True))
    assert len(book.named("GET")) == MOST
    (wait,) = book.named("wait m")
    assert wait.attributes["genpulse.vendor.requests"] == MOST + 5
    assert vendor.headers[-1]["traceparent"] == f"00-{CALLER.trace_id}-{wait.context.span_id:016x}-01"


@pytest.mark.parametrize("url", ["http://[", "http://host:port/", "no url", "http://127.0.0.1:1/"])
async def test_an_address_that_is_none_is_the_business_of_the_client(http, book, url):
    step, _ = attempt(book)
    with step, pytest.raises(Exception, match=r"reached|asked"):
        await http.send(Request("GET", url))
    assert book.named("GET")[0].attributes["error.type"] == "ProviderUnreachable"


async def test_no_span_is_left_behind(http, book, vendor):
    step, _ = attempt(book)
    with step:
        await http.send(Request("GET", vendor.url))
    assert not get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("said", [True, False, None])
async def test_an_operator_declares_it_of_a_server_that_speaks_like_openai(vendor, http, book, said):
    options = {} if said is None else {"traced": said}
    made = provider(ProviderSettings(None, vendor.url, options, http, name="studio"))
    step, _ = attempt(book)
    with step:
        await made.probe()
    assert ("traceparent" in vendor.headers[0]) is (said is True)

"""Requests as spans: at our own calls and at the doors, whatever the caller says of its trace."""

import asyncio
from uuid import UUID

import pytest
from opentelemetry.trace import get_tracer_provider
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from genpulse.adapters.memory.tasks.traces import MemoryTraces
from genpulse.api.options import ApiOptions
from genpulse.dialects.doors import open_doors
from genpulse.dialects.options import DialectOptions
from tests.fakes.collector import Collector
from tests.integration.api.conftest import KEY_PREFIXES
from tests.span_book import SpanBook

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=x", "X-Request-Id": "their-id"}
DOORS = DialectOptions(frozenset({"replicate", "fal", "openai"}), {"replicate": 0, "fal": 0, "openai": 0}, {})


@pytest.fixture
def book() -> SpanBook:
    return SpanBook()


@pytest.fixture
async def api(serve, book):
    options = ApiOptions(version="1", api_key_prefixes=KEY_PREFIXES, traces_requests=True)
    return await serve(options, tracing=book.tracing, doors=open_doors(DOORS))


async def asked(api, book, method, path, **options):
    """The span of a request, and its status."""
    before = len(book.spans)
    async with api.client.request(method, f"{api.url}{path}", **options) as answer:
        await answer.read()
    async with asyncio.timeout(60):
        while not (ended := [span for span in book.spans[before:] if span.kind.name == "SERVER"]):
            await asyncio.sleep(0.005)
    return ended[-1], answer


async def test_a_submit_goes_on_with_the_trace_of_its_caller(api, book):
    body = {"model": "art/easel", "input": {"prompt": "a secret fox"}}
    span, answer = await asked(api, book, "POST", "/v1/tasks", json=body, headers=CALLER)
    assert answer.status == 202
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert span.name == "POST /v1/tasks"
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "http.route": "/v1/tasks",
        "http.response.status_code": 202,
        "genpulse.request.id": "their-id",
    }
    task_id = (await answer.json())["id"]
    (send,) = book.named("send art")
    assert send.attributes["messaging.message.id"] == task_id
    kept = await MemoryTraces(api.store).of(UUID(task_id))
    assert kept.context.span_id == f"{send.context.span_id:016x}"
    assert "secret" not in "".join(one.to_json() for one in book.spans)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/replicate/v1/predictions",
            {"version": "art/easel", "input": {"prompt": "x"}},
        ),
        ("/fal/queue/art/easel", {"prompt": "x"}),
        ("/openai/v1/images/generations", {"model": "art/easel", "prompt": "x"}),
    ],
)
async def test_so_does_one_at_a_door(api, book, path, body):
    span, _ = await asked(api, book, "POST", path, json=body, headers=CALLER)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.attributes["http.route"].split("/")[1] == path.split("/")[1]
    assert span.name == f"POST {span.attributes['http.route']}"
    assert len(book.named("send art")) == 1
    assert "easel" not in span.name


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": "nonsense"},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01"},
        {"traceparent": "0" * 8000, "tracestate": "x" * 8000},
        {"tracestate": "a=b", "baggage": "a=b"},
    ],
)
async def test_what_is_no_trace_begins_one_of_our_own(api, book, headers):
    span, answer = await asked(api, book, "GET", "/v1/models", headers=headers)
    assert answer.status == 200
    assert span.parent is None
    assert f"{span.context.trace_id:032x}" != TRACE
    assert span.context.trace_state == {}


async def test_a_state_that_does_not_hold_costs_no_trace(api, book):
    span, _ = await asked(api, book, "GET", "/v1/models", headers=CALLER | {"tracestate": "no state"})
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.context.trace_state == {}


async def test_two_of_them_are_none(api, book):
    headers = [("traceparent", CALLER["traceparent"]), ("traceparent", CALLER["traceparent"])]
    span, _ = await asked(api, book, "GET", "/v1/models", headers=headers)
    assert span.parent is None


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", "/v1/tasks/00000000-0000-7000-8000-000000000000", 404, "/v1/tasks/{task_id}"),
        ("GET", "/v1/nothing-of-this-name", 404, None),
        ("DELETE", "/v1/models", 405, "/v1/models"),
        ("HEAD", "/v1/models", 200, "/v1/models"),
        ("PROPFIND", "/v1/models", 405, "/v1/models"),
    ],
)
async def test_requests_are_named_by_the_template_of_their_path(api, book, method, path, status, route):
    span, answer = await asked(api, book, method, path)
    known = "_OTHER" if method == "PROPFIND" else method
    assert answer.status == status == span.attributes["http.response.status_code"]
    assert span.attributes.get("http.route") == route
    assert span.name == (f"{known} {route}" if route else known)
    assert span.attributes["http.request.method"] == known
    assert span.status.is_ok or span.status.is_unset


async def test_a_failure_of_ours_is_one_of_its_span(api, book):
    api.store.away = True
    span, answer = await asked(api, book, "GET", "/v1/tasks/00000000-0000-7000-8000-000000000000")
    assert answer.status == 503
    assert (span.attributes["error.type"], span.status.is_ok) == ("503", False)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_what_machines_ask_every_few_seconds_is_not_told(api, book, path):
    async with api.client.get(f"{api.url}{path}") as answer:
        await answer.read()
    await asked(api, book, "GET", "/v1/models")
    assert [span.name for span in book.spans] == ["GET /v1/models"]


OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


async def test_a_trace_that_is_kept_is_an_exemplar_of_its_latency(api, book):
    await asked(api, book, "GET", "/v1/models", headers=CALLER)
    answer = await api.get("/metrics", headers=OPEN_METRICS)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    text = answer.body.decode()
    assert text.endswith("# EOF\n")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    found = [one for one in families["genpulse_http_response_start_seconds"].samples if one.exemplar]
    assert [(one.labels["route"], one.exemplar.labels) for one in found] == [("/v1/models", {"trace_id": TRACE})]
    assert (await api.get("/metrics")).headers["Content-Type"].startswith("text/plain")


async def test_one_that_nobody_keeps_is_none(api, book):
    not_sampled = {"traceparent": CALLER["traceparent"][:-2] + "00"}
    assert (await api.get("/v1/models", headers=not_sampled)).status == 200
    assert TRACE not in (await api.get("/metrics", headers=OPEN_METRICS)).body.decode()


async def test_without_traces_prometheus_gets_its_own_text_as_ever(serve):
    api = await serve()
    assert (await api.get("/metrics", headers=OPEN_METRICS)).headers["Content-Type"].startswith("text/plain")


async def test_the_framework_tells_nothing_beside_it(serve, book, monkeypatch):
    with Collector() as collector:
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        api = await serve(ApiOptions(version="1", traces_requests=True), tracing=book.tracing)
        await asked(api, book, "GET", "/v1/models")
        await asked(api, book, "POST", "/v1/uploads", data=b"x")
        assert not hasattr(get_tracer_provider(), "force_flush")
        assert collector.requests == []
    assert [span.name for span in book.spans] == ["GET /v1/models", "POST /v1/uploads"]


async def test_where_requests_are_not_traced_nothing_stands_in_their_way(serve, book):
    api = await serve(tracing=book.tracing)
    async with api.client.get(f"{api.url}/v1/models", headers=CALLER) as answer:
        assert answer.status == 200
    assert book.spans == []

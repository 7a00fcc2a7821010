"""One trace from the request to the webhook, over real processes, at a real collector."""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import pytest

from tests.fakes.collector import Collector
from tests.fleet import Fleet, until_ready
from tests.span_book import check_span

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PROMPT = "a lighthouse that nobody may read about"


class Receiver:
    """Takes webhooks, and keeps their headers."""

    def __enter__(self):
        headers = self.headers = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                headers.append(dict(self.headers))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/hook?token=secret-of-the-receiver"
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def fleet(tmp_path, own_database_url, redis_url, collector):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    fleet.environment |= {
        "GENPULSE_TRACING__OTLP_URL": collector.url,
        "GENPULSE_TRACING__HEADERS": "x-team=pictures",
        "GENPULSE_LOG__FORMAT": "json",
        "GENPULSE_WEBHOOKS__ALLOW_PRIVATE": "true",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    fleet.start_api()
    fleet.start_worker()
    async with aiohttp.ClientSession() as client:
        await until_ready(fleet, client)
    yield fleet
    fleet.stop()


def submitted(fleet, body, **headers):
    request = urllib.request.Request(
        f"{fleet.urls[0]}/v1/tasks", json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer), dict(answer.headers)


def test_one_trace_from_the_request_to_the_webhook(fleet, collector, receiver):
    body = {"model": "sandbox/image", "input": {"prompt": PROMPT, "seed": 3}, "webhook_url": receiver.url}
    task, headers = submitted(fleet, body, traceparent=CALLER, tracestate="vendor=of-the-caller")
    (delivered,) = collector.until(lambda: collector.named("POST webhook"))

    trace = [span for span in collector.spans if span.trace_id == CALLER.split("-")[1]]
    request = next(span for span in trace if span.name == "POST /v1/tasks")
    assert (request.parent_id, request.kind, request.service) == (CALLER.split("-")[2], "SERVER", "genpulse-api")
    assert request.attributes["genpulse.request.id"] == headers["x-request-id"]
    assert collector.tree(request) == (
        "POST /v1/tasks",
        (
            "send sandbox",
            ("queue wait",),
            ("process sandbox", ("run image",), ("store outputs",)),
            ("POST webhook",),
        ),
    )
    (send,) = collector.under(request)
    wait, attempt, sent = collector.under(send)
    assert request.contains(send)
    assert send.begin <= wait.begin <= wait.end <= attempt.begin <= attempt.end <= sent.end
    assert all(attempt.contains(step) for step in collector.under(attempt))
    assert {span.service for span in (wait, attempt, sent)} == {"genpulse-worker"}
    assert all(span.attributes["messaging.message.id"] == task["id"] for span in (send, wait, attempt))
    assert attempt.attributes["genpulse.outcome"] == "succeeded"
    assert attempt.attributes["genpulse.outputs.count"] == 1
    assert {span.state for span in trace} == {"vendor=of-the-caller"}
    assert not any(span.failed for span in trace)
    assert request.resource["deployment.environment.name"] == "dev"

    (told,) = receiver.headers
    assert told["traceparent"] == f"00-{sent.trace_id}-{sent.id}-01"
    assert told["tracestate"] == "vendor=of-the-caller"
    assert sent.id == delivered.id
    assert collector.requests[0]["x-team"] == "pictures"
    for span in collector.spans:
        check_span(span.name, span.kind, span.attributes)
    words = repr(collector.spans)
    assert PROMPT not in words
    assert "secret-of-the-receiver" not in words


def test_lines_of_the_log_name_trace_request_and_task(fleet, collector):
    task, _ = submitted(fleet, {"model": "sandbox/noop", "input": {"fail": "permanent"}}, traceparent=CALLER)
    (attempt,) = collector.until(lambda: collector.named("process sandbox"))
    lines = [json.loads(line) for line in (fleet.folder / "log").read_text().splitlines() if line.startswith("{")]
    (line,) = [one for one in lines if one["event"].startswith(f"task {task['id']} failed")]
    assert (line["task_id"], line["trace_id"], line["span_id"]) == (task["id"], attempt.trace_id, attempt.id)
    assert attempt.attributes["error.type"] == "provider_rejected"
    assert attempt.failed

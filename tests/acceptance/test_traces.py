"""One trace from the request to the webhook, over real processes, at a real collector."""

import base64
import json
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import asyncpg
import pytest

from genpulse.testing.media import PNG
from tests.fakes.collector import Collector, SentryProject
from tests.fleet import Fleet, until_ready
from tests.span_book import check_span

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PROMPT = "a lighthouse that nobody may read about"


class Receiver:
    """Takes webhooks, and keeps their headers."""

    status = 204
    answer = b""

    def __enter__(self):
        headers, status, answer = [], self.status, self.answer
        self.headers = headers

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                headers.append(dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

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

    def until(self, count):
        """Wait until so many have come."""
        deadline = time.monotonic() + 120
        while len(self.headers) < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@asynccontextmanager
async def running(folder, database_url, redis_url, *, kind=Fleet, **environment):
    fleet = kind(folder, database_url, redis_url)
    fleet.environment |= {
        "GENPULSE_LOG__FORMAT": "json",
        "GENPULSE_WEBHOOKS__ALLOW_PRIVATE": "true",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        **environment,
    }
    try:
        fleet.start_api()
        fleet.start_worker()
        async with aiohttp.ClientSession() as client:
            await until_ready(fleet, client)
        yield fleet
    finally:
        fleet.stop()


@pytest.fixture
async def fleet(tmp_path, own_database_url, redis_url, collector):
    words = {"GENPULSE_TRACING__OTLP_URL": collector.url, "GENPULSE_TRACING__HEADERS": "x-team=pictures"}
    async with running(tmp_path, own_database_url, redis_url, **words) as fleet:
        yield fleet


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


def ended(fleet, task):
    """The task at its end, and in how many seconds it came."""
    began = time.monotonic()
    while True:
        with urllib.request.urlopen(f"{fleet.urls[0]}/v1/tasks/{task['id']}", timeout=60) as answer:
            found = json.load(answer)
        if found["finished_at"]:
            return found, time.monotonic() - began
        assert time.monotonic() - began < 120
        time.sleep(0.02)


EXPORTER_S = 600
"""For so long the exporter tries: whoever waited for it would be later than any test waits."""
PATIENCE_S = 60.0


@pytest.mark.parametrize("kind", ["away", "silent", "broken"])
async def test_a_collector_that_takes_nothing_delays_no_task_and_no_end(
    tmp_path, own_database_url, redis_url, kind, receiver
):
    let_go = threading.Event()

    def answers():
        if kind == "silent":
            let_go.wait(300)
        return 500

    with Collector(answers) as collector:
        url = "http://127.0.0.1:1" if kind == "away" else collector.url
        words = {"GENPULSE_TRACING__OTLP_URL": url, "OTEL_EXPORTER_OTLP_TIMEOUT": str(EXPORTER_S)}
        async with running(tmp_path, own_database_url, redis_url, **words) as fleet:
            for _ in range(5):
                body = {"model": "sandbox/noop", "input": {}, "webhook_url": receiver.url}
                task, _ = submitted(fleet, body)
                found, took_s = ended(fleet, task)
                assert found["status"] == "succeeded"
                assert took_s < PATIENCE_S
            receiver.until(5)
            began = time.monotonic()
        assert time.monotonic() - began < PATIENCE_S, (tmp_path / "log").read_text()
        let_go.set()


async def test_where_nothing_is_traced_nothing_is_kept_and_nothing_handed_on(
    tmp_path, own_database_url, redis_url, receiver
):
    async with running(tmp_path, own_database_url, redis_url) as fleet:
        body = {"model": "sandbox/noop", "input": {}, "webhook_url": receiver.url}
        task, _ = submitted(fleet, body, traceparent=CALLER)
        assert ended(fleet, task)[0]["status"] == "succeeded"
        receiver.until(1)
        connection = await asyncpg.connect(own_database_url)
        try:
            assert await connection.fetchval("SELECT count(*) FROM task_traces") == 0
        finally:
            await connection.close()
    assert not {name.lower() for name in receiver.headers[0]} & {"traceparent", "tracestate"}
    log = (tmp_path / "log").read_text()
    assert "trace_id" not in log
    assert "request_id" not in log


BROKEN = """
from genpulse.provider import Input, Local, Model, Provider

class Nothing(Input):
    prompt: str = ""

class Broken(Local[Nothing]):
    async def run(self, call, report):
        raise KeyError(f"the words of {call.input.prompt}")

def provider(settings):
    return Provider("broken", (Model("model", ("text-to-image",), Nothing, Broken()),), needs=())
"""


class PluggedIn(Fleet):
    """Its processes have one plug-in more, which a fork cannot be given."""

    def start(self, *arguments):
        site = self.folder / "site"
        metadata = site / "genpulse_broken-1.dist-info"
        metadata.mkdir(parents=True, exist_ok=True)
        (site / "genpulse_broken.py").write_text(BROKEN)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: genpulse-broken\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text("[genpulse.providers]\nbroken = genpulse_broken:provider\n")
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "genpulse", *arguments],
                cwd=self.folder,
                env={**self.environment, "PYTHONPATH": str(site)},
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process


async def test_a_mistake_of_a_plug_in_is_one_event_at_sentry(tmp_path, own_database_url, redis_url):
    with SentryProject() as project:
        words = {"GENPULSE_SENTRY__DSN": project.dsn}
        async with running(tmp_path, own_database_url, redis_url, kind=PluggedIn, **words) as fleet:
            task, _ = submitted(fleet, {"model": "broken/model", "input": {"prompt": PROMPT}})
            assert ended(fleet, task)[0]["status"] == "failed"
            (event,) = project.until(lambda: project.events)
        assert [one["tags"]["task_id"] for one in project.events] == [task["id"]]
    assert (event["environment"], event["tags"]["process"]) == ("dev", "worker")
    assert event["release"].startswith("genpulse@")
    assert [one["type"] for one in event["exception"]["values"]] == ["KeyError"]
    assert PROMPT not in json.dumps(project.events)
    assert PROMPT in (tmp_path / "log").read_text()


class Vendor(Receiver):
    """A server that draws as OpenAI does, and keeps the headers of what it is asked."""

    status = 200
    answer = json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(PNG).decode()}]}).encode()


async def test_a_vendor_is_given_the_trace_where_the_operator_says_so(
    tmp_path, own_database_url, redis_url, collector
):
    with Vendor() as studio, Vendor() as stranger:
        words = {"GENPULSE_TRACING__OTLP_URL": collector.url}
        for name, vendor in (("STUDIO", studio), ("STRANGER", stranger)):
            words[f"GENPULSE_PROVIDERS__{name}__ADAPTER"] = "openai_compatible"
            words[f"GENPULSE_PROVIDERS__{name}__BASE_URL"] = vendor.url.partition("/hook")[0] + "/v1"
            words[f"GENPULSE_PROVIDERS__{name}__MODELS__IMAGE"] = "flux"
        words["GENPULSE_PROVIDERS__STUDIO__OPTIONS__TRACED"] = "true"
        async with running(tmp_path, own_database_url, redis_url, **words) as fleet:
            for name in ("studio", "stranger"):
                body = {"model": f"{name}/flux", "input": {"prompt": PROMPT}, "kind": "text-to-image"}
                task, _ = submitted(fleet, body, traceparent=CALLER)
                assert ended(fleet, task)[0]["status"] == "succeeded"
            collector.until(lambda: len(collector.named("POST")) == 2)
        (told,), (untold,) = studio.headers, stranger.headers
        ports = {span.attributes["server.port"]: span for span in collector.named("POST")}
        span = ports[int(studio.url.partition("/hook")[0].rpartition(":")[2])]
        assert told["traceparent"] == f"00-{CALLER.split('-')[1]}-{span.id}-01"
        assert "traceparent" not in {name.lower() for name in untold}
        (step,) = [one for one in collector.named("generate_content flux") if one.id == span.parent_id]
        assert step.contains(span)
        assert step.attributes["gen_ai.provider.name"] == "studio"
        assert PROMPT not in repr(collector.spans)

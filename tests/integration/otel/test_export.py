"""Spans on their way to a collector: nobody waits for it, whatever it does."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest

from genpulse.adapters.otel.export import CLOSE_S, Collector, Export
from genpulse.domain.attempt import Attempt
from genpulse.domain.trace_context import TaskTrace, TraceContext
from genpulse.ports import IncomingRequest
from genpulse.provider import EngineThreads
from tests.contract.conftest import new_task, now
from tests.fakes.collector import Collector as FakeCollector

RESOURCE = {"service.name": "genpulse-worker", "deployment.environment.name": "dev"}
REQUEST = IncomingRequest("GET", "http", "r")
ROOMY_S = 30.0
"""More than ending may take on a busy machine, and less than one try of the exporter and its further ones."""


def export_to(url: str, **changes) -> Export:
    return Export(Collector(url), RESOURCE, version="1", **changes)


def trace_requests(export: Export, count: int = 1) -> None:
    for _ in range(count):
        with export.tracing.request(REQUEST) as span:
            span.answered("/v1/models", 200)


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
async def test_what_is_left_arrives_at_the_end(path):
    with FakeCollector() as collector:
        export = export_to(f"{collector.url}{path}")
        trace_requests(export, 3)
        await export.close(ROOMY_S)
        assert [span.name for span in collector.spans] == ["GET /v1/models"] * 3
        assert collector.spans[0].resource.items() >= RESOURCE.items()


@pytest.mark.parametrize("kind", ["away", "broken", "silent", "slow to accept"])
async def test_a_collector_that_takes_nothing_delays_no_span_and_no_end(kind):
    let_go = threading.Event()

    def answers() -> int:
        if kind == "broken":
            return 503
        let_go.wait(120)
        return 200

    with FakeCollector(answers) as collector, closing(socket.create_server(("127.0.0.1", 0), backlog=1)) as deaf:
        port = {"away": 1, "slow to accept": deaf.getsockname()[1]}.get(kind, collector.port)
        export = export_to(f"http://127.0.0.1:{port}")
        spent = time.process_time()
        # More than the queue of the exporter holds: what is too much is dropped, and nobody waits.
        await asyncio.to_thread(trace_requests, export, 5000)
        spent = time.process_time() - spent
        began = time.monotonic()
        await export.close(0.2)
        ended = time.monotonic() - began
        let_go.set()
    assert ended < ROOMY_S
    assert spent < ROOMY_S


async def test_the_end_is_waited_for_no_longer_than_it_says():
    assert CLOSE_S <= 5
    let_go = threading.Event()
    with FakeCollector(lambda: let_go.wait(120) and 200) as collector:
        export = export_to(collector.url)
        trace_requests(export)
        closing_ = asyncio.create_task(export.close(0.0))
        await closing_
        assert not let_go.is_set()
        let_go.set()


async def test_a_process_ends_although_its_last_spans_hang():
    program = """
import asyncio, sys
from genpulse.adapters.otel.export import Collector, Export
from genpulse.ports import IncomingRequest
async def main():
    export = Export(Collector(sys.argv[1]), {}, version="1")
    with export.tracing.request(IncomingRequest("GET", "http", "r")):
        pass
    await export.close(0.1)
asyncio.run(main())
"""
    let_go = threading.Event()
    with FakeCollector(lambda: let_go.wait(120) and 200) as collector:
        words = [sys.executable, "-c", program, collector.url]
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=100)
        assert not let_go.is_set()
        let_go.set()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


async def test_a_child_of_a_fork_tells_its_own_spans_and_not_its_parents():
    program = """
import asyncio, os, sys
from genpulse.adapters.otel.export import Collector, Export
from genpulse.ports import IncomingRequest
def told(export, id):
    with export.tracing.request(IncomingRequest("GET", "http", id)):
        pass
export = Export(Collector(sys.argv[1]), {"service.name": "forks"}, version="1")
told(export, "before")
child = os.fork()
told(export, "child" if child == 0 else "parent")
asyncio.run(export.close(60))
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    with FakeCollector() as collector:
        words = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, collector.url]
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        told = sorted(span.attributes["genpulse.request.id"] for span in collector.spans)
    assert told == ["before", "child", "parent"]


async def test_threads_of_engines_are_within_the_attempt_that_began_them():
    from opentelemetry.trace import get_current_span

    with FakeCollector() as collector:
        export, threads = export_to(collector.url), EngineThreads(2)
        task = new_task().queued(now() - timedelta(seconds=5), None, None)
        context = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
        with export.tracing.attempt(task, Attempt.start(task, task.id, "w", now()), TaskTrace(context)):
            inside = await threads.run(lambda: get_current_span().get_span_context().trace_id)
        outside = await threads.run(lambda: get_current_span().get_span_context().is_valid)
        await threads.close()
        await export.close(ROOMY_S)
    assert f"{inside:032x}" == context.trace_id
    assert not outside
    (wait,) = collector.named("queue wait")
    assert wait.end - wait.begin >= 5e9


@pytest.mark.parametrize(
    ("variable", "value", "holds"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", False),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1", False),
        ("OTEL_TRACES_SAMPLER", "always_off", False),
        ("OTEL_TRACES_EXPORTER", "none", False),
        ("OTEL_PROPAGATORS", "none", False),
        ("OTEL_SERVICE_NAME", "another", False),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=main", False),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=pictures", "team"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-from-the-variable=yes", "x-from-the-variable"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "gzip"),
        ("OTEL_SDK_DISABLED", "true", "nothing"),
    ],
)
async def test_which_variables_of_opentelemetry_hold(monkeypatch, variable, value, holds):
    monkeypatch.setenv(variable, value)
    with FakeCollector() as collector:
        export = export_to(collector.url)
        trace_requests(export)
        await export.close(ROOMY_S)
    if holds == "nothing":
        assert collector.spans == []
        return
    (span,) = collector.spans
    assert span.resource.items() >= RESOURCE.items()
    assert span.resource.get("team") == ("pictures" if holds == "team" else None)
    assert ("x-from-the-variable" in collector.requests[0]) is (holds == "x-from-the-variable")
    assert (collector.requests[0].get("content-encoding") == "gzip") is (holds == "gzip")
    assert os.environ[variable] == value

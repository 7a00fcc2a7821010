"""A collector that takes OTLP over HTTP, and a project of Sentry that takes envelopes; both keep what they get."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

ARRIVES_WITHIN_S = 120.0


@dataclass(frozen=True)
class Span:
    """A span as it arrived. Moments are in nanoseconds."""

    name: str
    kind: str
    trace_id: str
    id: str
    parent_id: str
    begin: int
    end: int
    attributes: dict
    links: tuple
    failed: bool
    service: str
    resource: dict
    state: str = ""

    def contains(self, other: "Span") -> bool:
        """Whether the other one takes place within this one's time."""
        return self.begin <= other.begin and other.end <= self.end


@dataclass
class _Server:
    """HTTP on a port of its own. `answers` gives the status of each request, and may wait."""

    answers: Callable[[], int] = lambda: 200
    requests: list = field(default_factory=list)

    def __enter__(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status = server.answers()
                if status == 200:
                    server.take(self.path, dict(self.headers), body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", server.media_type)
                    answer = server.answer if status == 200 else b""
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass  # whoever asked does not wait

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._http.server_address[1]

    def until(self, holds: Callable[[], object]):
        """What `holds` gives, once that is true."""
        deadline = time.monotonic() + ARRIVES_WITHIN_S
        while not (found := holds()):
            assert time.monotonic() < deadline, self.requests
            time.sleep(0.05)
        return found


class Collector(_Server):
    """Of OpenTelemetry. `spans` are those that it took."""

    media_type = "application/x-protobuf"
    answer = ExportTraceServiceResponse().SerializeToString()

    def __init__(self, answers: Callable[[], int] = lambda: 200) -> None:
        super().__init__(answers)
        self.spans: list[Span] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict, body: bytes) -> None:
        assert path == "/v1/traces"
        message = ExportTraceServiceRequest.FromString(body)
        self.requests.append({name.lower(): value for name, value in headers.items()})
        for group in message.resource_spans:
            resource = _values(group.resource.attributes)
            self.spans += [_span(one, resource) for scope in group.scope_spans for one in scope.spans]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def under(self, span: Span) -> list[Span]:
        """Its children, oldest first."""
        return sorted(
            (one for one in self.spans if one.parent_id == span.id), key=lambda one: (one.begin, one.end)
        )

    def tree(self, span: Span) -> tuple:
        """Its name, and the trees below it, oldest first."""
        return span.name, *(self.tree(one) for one in self.under(span))


def _span(one, resource: dict) -> Span:
    return Span(
        one.name,
        one.SpanKind.Name(one.kind).removeprefix("SPAN_KIND_"),
        one.trace_id.hex(),
        one.span_id.hex(),
        one.parent_span_id.hex(),
        one.start_time_unix_nano,
        one.end_time_unix_nano,
        _values(one.attributes),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in one.links),
        one.status.code == one.status.STATUS_CODE_ERROR,
        resource["service.name"],
        resource,
        one.trace_state,
    )


def _values(attributes) -> dict:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class SentryProject(_Server):
    """Of Sentry. `events` are those that it took."""

    media_type = "application/json"
    answer = b"{}"

    def __init__(self, answers: Callable[[], int] = lambda: 200) -> None:
        super().__init__(answers)
        self.events: list[dict] = []

    @property
    def dsn(self) -> str:
        return f"http://0123456789abcdef@127.0.0.1:{self.port}/7"

    def take(self, path: str, headers: dict, body: bytes) -> None:
        assert path == "/api/7/envelope/"
        self.requests.append(body)
        lines = body.split(b"\n")
        for head, payload in zip(lines[1::2], lines[2::2], strict=False):
            if json.loads(head).get("type") == "event":
                self.events.append(json.loads(payload))

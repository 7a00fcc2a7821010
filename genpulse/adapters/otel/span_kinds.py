"""Every kind of span that there is, and every attribute that one may have.

Names of OpenTelemetry's semantic conventions where there is one: HTTP, messaging (the queue), generative AI. No
attribute holds what a caller, a vendor or a receiver has written, but for the id of a request: no prompt, no path,
no query.
"""

from dataclasses import dataclass
from enum import StrEnum


class Attribute(StrEnum):
    """The name of an attribute."""

    ERROR_TYPE = "error.type"
    GEN_AI_OPERATION = "gen_ai.operation.name"
    GEN_AI_OUTPUT = "gen_ai.output.type"
    GEN_AI_PROVIDER = "gen_ai.provider.name"
    GEN_AI_MODEL = "gen_ai.request.model"
    ATTEMPT = "genpulse.attempt.number"
    OUTCOME = "genpulse.outcome"
    OUTPUT_BYTES = "genpulse.outputs.bytes"
    OUTPUT_COUNT = "genpulse.outputs.count"
    WAITED = "genpulse.queue.wait_s"
    REPLAYED = "genpulse.replayed"
    REQUEST = "genpulse.request.id"
    KIND = "genpulse.task.kind"
    VENDOR_REQUESTS = "genpulse.vendor.requests"
    WEBHOOK_TYPE = "genpulse.webhook.type"
    METHOD = "http.request.method"
    RESENT = "http.request.resend_count"
    STATUS = "http.response.status_code"
    ROUTE = "http.route"
    MESSAGE_COUNT = "messaging.batch.message_count"
    QUEUE = "messaging.destination.name"
    MESSAGE = "messaging.message.id"
    QUEUE_OPERATION = "messaging.operation.name"
    QUEUE_OPERATION_TYPE = "messaging.operation.type"
    QUEUE_SYSTEM = "messaging.system"
    HOST = "server.address"
    PORT = "server.port"
    SCHEME = "url.scheme"


MEANINGS = {
    Attribute.ERROR_TYPE: "Why it failed: a status, the `code` of an error, or the name of its type",
    Attribute.GEN_AI_OPERATION: "`generate_content` where one request is answered with the output, else the step",
    Attribute.GEN_AI_OUTPUT: "What is made: `image`, `video`, `speech` …, by the task's kind",
    Attribute.GEN_AI_PROVIDER: "Name of the provider",
    Attribute.GEN_AI_MODEL: "Name of the model at its provider",
    Attribute.ATTEMPT: "Number of the attempt, from 1",
    Attribute.OUTCOME: "`succeeded`, `failed`, `retry_later`, `moved_on`, `canceled` or `released`",
    Attribute.OUTPUT_BYTES: "Bytes of all outputs",
    Attribute.OUTPUT_COUNT: "How many outputs there are",
    Attribute.WAITED: "Seconds for which the task waited before this attempt",
    Attribute.REPLAYED: "The idempotency key was known: this is the earlier task",
    Attribute.REQUEST: "`X-Request-Id` of the answer",
    Attribute.KIND: "The task's kind",
    Attribute.VENDOR_REQUESTS: "HTTP requests of this step; of more than 20 the rest have no span",
    Attribute.WEBHOOK_TYPE: "Type of the message, such as `task.succeeded`",
    Attribute.METHOD: "Method; `_OTHER` for one that HTTP does not know",
    Attribute.RESENT: "How often the message was sent before",
    Attribute.STATUS: "Status of the answer",
    Attribute.ROUTE: "Template of the path",
    Attribute.MESSAGE_COUNT: "How many tasks are submitted together",
    Attribute.QUEUE: "Name of the provider for whose workers the task waits",
    Attribute.MESSAGE: "`id` of the task, or `webhook-id` of the message",
    Attribute.QUEUE_OPERATION: "As the operation is called here",
    Attribute.QUEUE_OPERATION_TYPE: "`create`, `send` or `process`",
    Attribute.QUEUE_SYSTEM: "`genpulse`",
    Attribute.HOST: "Host that is asked",
    Attribute.PORT: "Its port",
    Attribute.SCHEME: "`http` or `https`",
}

_FAILURE = (Attribute.ERROR_TYPE,)
_QUEUE = (Attribute.QUEUE_SYSTEM, Attribute.QUEUE_OPERATION, Attribute.QUEUE_OPERATION_TYPE)
_ENGINE = (
    Attribute.GEN_AI_OPERATION,
    Attribute.GEN_AI_PROVIDER,
    Attribute.GEN_AI_MODEL,
    Attribute.GEN_AI_OUTPUT,
    Attribute.VENDOR_REQUESTS,
    *_FAILURE,
)


@dataclass(frozen=True, slots=True)
class SpanKind:
    """`name` with what is put in; `kind` as OpenTelemetry calls it; `within` what it lies."""

    name: str
    kind: str
    within: str
    what: str
    attributes: tuple[Attribute, ...]


REQUEST = SpanKind(
    "{method} {route}",
    "SERVER",
    "the caller's `traceparent`",
    "A request to the API or to one of its doors, until its answer is written",
    (Attribute.METHOD, Attribute.SCHEME, Attribute.ROUTE, Attribute.STATUS, Attribute.REQUEST, *_FAILURE),
)
SEND = SpanKind(
    "send {provider}",
    "PRODUCER",
    "the request",
    "A task is written. It is this span that is kept with the task",
    (*_QUEUE, Attribute.QUEUE, Attribute.MESSAGE, Attribute.KIND, Attribute.REPLAYED, *_FAILURE),
)
SEND_BATCH = SpanKind(
    "send batch",
    "PRODUCER",
    "the request",
    "Several tasks are written together",
    (*_QUEUE, Attribute.MESSAGE_COUNT, *_FAILURE),
)
CREATE = SpanKind(
    "create {provider}",
    "PRODUCER",
    "a trace of its own, with a link to `send batch`",
    "One task of a batch. It is this span that is kept with the task",
    (*_QUEUE, Attribute.QUEUE, Attribute.MESSAGE, Attribute.KIND),
)
WAIT = SpanKind(
    "queue wait",
    "INTERNAL",
    "the span that is kept with the task",
    "From when the task was due, or its last attempt ended, until this attempt began; by the database's clock",
    (Attribute.QUEUE, Attribute.MESSAGE, Attribute.ATTEMPT),
)
ATTEMPT = SpanKind(
    "process {provider}",
    "CONSUMER",
    "the span that is kept with the task; an hour after the submit a trace of its own, with a link to it",
    "One attempt",
    (
        *_QUEUE,
        Attribute.QUEUE,
        Attribute.MESSAGE,
        Attribute.KIND,
        Attribute.ATTEMPT,
        Attribute.WAITED,
        Attribute.OUTCOME,
        Attribute.OUTPUT_COUNT,
        Attribute.OUTPUT_BYTES,
        *_FAILURE,
    ),
)
RUN = SpanKind("run {model}", "INTERNAL", "the attempt", "Work that is done in the worker", _ENGINE)
GENERATE = SpanKind(
    "generate_content {model}", "CLIENT", "the attempt", "One request that is answered with the output", _ENGINE
)
ORDER = SpanKind("order {model}", "CLIENT", "the attempt", "A job is ordered", _ENGINE)
POLL = SpanKind("wait {model}", "INTERNAL", "the attempt", "The vendor is asked until the job has ended", _ENGINE)
COLLECT = SpanKind("collect {model}", "CLIENT", "the attempt", "What the job has made is fetched", _ENGINE)
VENDOR = SpanKind(
    "{method}",
    "CLIENT",
    "the step of the engine",
    "One HTTP request to a vendor, or to where a file lies",
    (Attribute.METHOD, Attribute.HOST, Attribute.PORT, Attribute.STATUS, *_FAILURE),
)
STORE = SpanKind("store outputs", "INTERNAL", "the attempt", "What was made is stored as assets", _FAILURE)
WEBHOOK = SpanKind(
    "POST webhook",
    "CLIENT",
    "the span that is kept with the task; as an attempt",
    "One message is sent, once",
    (
        Attribute.METHOD,
        Attribute.HOST,
        Attribute.PORT,
        Attribute.RESENT,
        Attribute.STATUS,
        Attribute.MESSAGE,
        Attribute.WEBHOOK_TYPE,
        *_FAILURE,
    ),
)

SPAN_KINDS = (
    REQUEST, SEND, SEND_BATCH, CREATE, WAIT, ATTEMPT, RUN, GENERATE, ORDER, POLL, COLLECT, VENDOR, STORE, WEBHOOK,
)  # fmt: skip
"""In the order of a task's life."""

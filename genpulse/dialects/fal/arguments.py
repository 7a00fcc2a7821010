"""The arguments of an app as an order."""

import json
import math
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from genpulse.api.context import caller_of, context_in
from genpulse.api.requests import json_body
from genpulse.api.schemas.tasks.submission import LONGEST_DEADLINE_S, HttpUrl
from genpulse.dialects.fal.apps import app_id
from genpulse.dialects.fal.files.input_files import with_references
from genpulse.dialects.fal.webhook import CHOICE
from genpulse.dialects.model_names import ModelNames
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.value import JsonObject
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Priority

PRIORITY = "X-Fal-Queue-Priority"
START_LIMIT = "X-Fal-Request-Timeout"
WEBHOOK = "fal_webhook"
_PRIORITIES = {"normal": Priority.NORMAL, "low": Priority.LOW}
_URL: TypeAdapter[str] = TypeAdapter(HttpUrl)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for. `canonical` are the bytes that are the same each time it is asked for."""

    app: str
    order: Order
    canonical: bytes


async def asked(request: Request, names: ModelNames) -> Asked:
    """Read a call. Raises `UnknownModel`, `InvalidJson`, `UnsupportedContentType`, `BadInput`."""
    app = app_id(str(request.path_params["app"]))
    model = names.id_of(context_in(request.scope).services, app)
    arguments = await _arguments(request)
    webhook_url = _webhook_url(request)
    order = Order(
        model=model,
        input=arguments,
        priority=_priority(request),
        webhook_url=webhook_url,
        webhook_choice=CHOICE if webhook_url else None,
        deadline_s=(start_limit_s := _start_limit_s(request)),
        deadline_is_for_start=start_limit_s is not None,
    )
    words = [arguments, order.priority.word, order.webhook_url, order.deadline_s]
    canonical = json.dumps(words, sort_keys=True, separators=(",", ":")).encode()
    return Asked(app, order, canonical)


async def order_of(request: Request, call: Asked, key: str) -> Order:
    """The order under this idempotency key, with files as references to assets.

    Raises as `lifecycle.upload.upload`.
    """
    return replace(call.order, input=await with_references(request, call.order.input, key))


async def _arguments(request: Request) -> JsonObject:
    body = await request.body()
    if not body:
        return {}
    json_body.check_type(request)
    arguments = json_body.parsed(body)
    if not isinstance(arguments, dict):
        raise BadInput("The arguments are no JSON object.", [Problem("", "Input should be an object")])
    return arguments


def _webhook_url(request: Request) -> str | None:
    url = request.query_params.get(WEBHOOK)
    if not url:
        return None
    try:
        return _URL.validate_python(url)
    except ValidationError as error:
        said = str(error.errors(include_url=False)[0]["msg"])
        raise BadInput(f"The parameter {WEBHOOK} is no address.", [Problem("/webhook_url", said)]) from error


def _priority(request: Request) -> Priority:
    word = request.headers.get(PRIORITY)
    if word is None:
        return caller_of(request).usual_priority
    if (priority := _PRIORITIES.get(word.strip().lower())) is None:
        raise BadInput(f"The header {PRIORITY} is {word[:40]!r}; it takes {' or '.join(_PRIORITIES)}.")
    return min(priority, caller_of(request).usual_priority)


def _start_limit_s(request: Request) -> float | None:
    """Seconds within which the request has to begin."""
    word = request.headers.get(START_LIMIT)
    if word is None:
        return None
    try:
        limit_s = float(word)
    except ValueError:
        limit_s = math.nan
    if not 0 < limit_s <= LONGEST_DEADLINE_S:
        raise BadInput(f"The header {START_LIMIT} is {word[:40]!r}; it takes a number of seconds above 0.")
    return limit_s

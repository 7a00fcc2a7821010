"""The OpenAPI document, from the descriptions of the routes and the models that they refer to."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from genpulse.api.problems import ProblemDocument
from genpulse.api.responses import encoded
from genpulse.api.responses.encoded import reference
from genpulse.api.routes.catalogue.model_routes import ModelRouteList
from genpulse.api.routes.catalogue.models import ModelDocument, ModelList
from genpulse.api.routes.catalogue.providers import ProviderList
from genpulse.api.routes.environment import EnvironmentDocument
from genpulse.api.routes.health import Alive, Readiness
from genpulse.api.routes.tasks.batch_events import BatchEventDocument
from genpulse.api.routes.tasks.task_attempts import AttemptPage
from genpulse.api.routes.tasks.task_events import EventDocument
from genpulse.api.routes.tasks.task_ledger import LedgerPage
from genpulse.api.routes.webhook_deliveries import DeliveryPage
from genpulse.api.schemas.api_keys import (
    ApiKeyDocument,
    ApiKeyList,
    CreatedKeyDocument,
    KeyChangeDocument,
    LimitsChangeDocument,
    NewKeyDocument,
)
from genpulse.api.schemas.budgets import BudgetList
from genpulse.api.schemas.client_tokens import (
    ClientTokenDocument,
    ClientTokenList,
    CreatedClientTokenDocument,
    NewClientTokenDocument,
)
from genpulse.api.schemas.tasks.actions import TaskActionDocument, TaskActionOutcome
from genpulse.api.schemas.tasks.batches import BatchActionOutcome, BatchPage, BatchStandingDocument
from genpulse.api.schemas.tasks.documents import (
    KeptAssetDocument,
    ProgressDocument,
    TaskBatch,
    TaskDocument,
    TaskPage,
)
from genpulse.api.schemas.tasks.filter import TaskFilterDocument
from genpulse.api.schemas.tasks.submission import BatchDocument, BatchOrderDocument, OrderDocument, RetryDocument
from genpulse.api.schemas.uploads import NewUploadDocument, UploadDocument
from genpulse.api.schemas.usage import UsageDocument

DESCRIPTION = """\
One durable task API in front of generative media: submit a task, watch it, fetch its files.

Every error is a problem document (RFC 9457) whose `code` is stable. Times are RFC 3339 in UTC.
"""
TAGS = [
    {"name": "tasks", "description": "Submit work, alone and in batches, watch it, change its course."},
    {"name": "assets", "description": "Files: what tasks made, and what callers brought."},
    {"name": "catalogue", "description": "What can be asked for."},
    {
        "name": "keys",
        "description": "Who may call, and how much: API keys, by the scope `admin`, and client tokens.",
    },
    {"name": "service", "description": "How this service is."},
]

_SCHEMES = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "In `dev`, calls from this machine need none until the first key is created.",
    },
    "signature": {
        "type": "apiKey",
        "in": "query",
        "name": "signature",
        "description": "Part of the `url` of an asset and of `urls.events` of a task, with `expires`: good for its"
        " bytes alone and for a day, or for its events alone and for an hour. The one in the `url` of an `Upload`"
        " stands alone, and is good for one file.",
    },
}
_SIGNED = {"fetch_content", "watch_task"}
"""The calls that can be made by a signed address."""
_SIGNED_ALONE = {"upload_directly"}
"""Those that cannot be made by an API key."""
_HEADERS = {
    "RequestId": {
        "description": "The `X-Request-Id` of the request, or one that was made for it. The log names it.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "Where the API key has a rate: how many calls may follow at once, and in how many seconds"
        " that is as many as ever.",
        "schema": {"type": "string"},
        "example": '"key";r=9;t=1',
    },
    "RateLimitPolicy": {
        "description": "Where the API key has a rate: how many calls it may make, and in how many seconds.",
        "schema": {"type": "string"},
        "example": '"key";q=10;w=1',
    },
}
_OF_A_TASK = (
    *("show_task", "watch_task", "cancel_task", "retry_task", "list_attempts", "list_deliveries"),
    *("list_ledger", "delete_task"),
)
_OF_A_BATCH = ("show_batch", "watch_a_batch", "cancel_batch", "retry_batch")
_OF_AN_ASSET = ("show_asset", "fetch_content", "delete_asset")
_OF_A_KEY = ("show_key", "change_key", "revoke_key")
_ID = "$response.body#/id"
_LINKS: Mapping[str, tuple[Mapping[str, str], Sequence[str]]] = {
    "submit_task": ({"task_id": _ID}, _OF_A_TASK),
    "retry_task": ({"task_id": _ID}, _OF_A_TASK),
    "submit_batch": ({"batch_id": _ID}, _OF_A_BATCH),
    "upload_file": ({"asset_id": _ID}, _OF_AN_ASSET),
    "create_upload": ({"upload_id": "$response.body#/asset_id"}, ("upload_directly",)),
    "upload_directly": ({"asset_id": _ID}, _OF_AN_ASSET),
    "create_key": ({"key_id": _ID}, _OF_A_KEY),
    "create_client_token": ({"token_id": _ID}, ("show_client_token", "revoke_client_token")),
    "list_deliveries": (
        {"task_id": "$request.path.task_id", "delivery_id": "$response.body#/data/0/id"},
        ("send_again",),
    ),
}
"""What can be done next with an answer, and where the parameters of that come from."""
_WRITING = (408, 413)
"""What the guards of bodies answer, before any call looks at its own."""
_OURS = re.compile("(Document|Word)$")
"""What our names have behind those that callers read."""
ENDS = ("succeeded", "failed", "canceled")
_REQUESTS = (
    OrderDocument,
    BatchOrderDocument,
    BatchDocument,
    RetryDocument,
    TaskActionDocument,
    TaskFilterDocument,
    NewKeyDocument,
    KeyChangeDocument,
    LimitsChangeDocument,
    NewUploadDocument,
    NewClientTokenDocument,
)
_RESPONSES = (
    Alive,
    ApiKeyDocument,
    ApiKeyList,
    AttemptPage,
    CreatedKeyDocument,
    BatchActionOutcome,
    BatchEventDocument,
    BatchPage,
    BatchStandingDocument,
    BudgetList,
    ClientTokenDocument,
    ClientTokenList,
    CreatedClientTokenDocument,
    DeliveryPage,
    EnvironmentDocument,
    EventDocument,
    KeptAssetDocument,
    LedgerPage,
    ModelDocument,
    ModelList,
    ModelRouteList,
    ProblemDocument,
    ProgressDocument,
    ProviderList,
    Readiness,
    TaskActionOutcome,
    TaskBatch,
    TaskDocument,
    TaskPage,
    UploadDocument,
    UsageDocument,
)


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    document["webhooks"] = _webhooks()
    document["components"] = {"schemas": _schemas(), "headers": _HEADERS, "securitySchemes": _SCHEMES}
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            _leave_out_foreign_refusals(call)
            _say_what_holds_everywhere(path, method, call)
            _link(call)
            call["security"] = _security(path, call["operationId"])
            for parameter in call.get("parameters", ()):
                _leave_out_null(parameter)
    return _renamed(document)


def _leave_out_foreign_refusals(call: dict[str, Any]) -> None:
    """FastAPI says of every call with parameters that it refuses them in FastAPI's own form."""
    if "application/json" in call["responses"].get("422", {}).get("content", {}):
        del call["responses"]["422"]


def _say_what_holds_everywhere(path: str, method: str, call: dict[str, Any]) -> None:
    """Describe what the middleware adds to every call: its errors, X-Request-Id, and what is left of a rate."""
    added = {"X-Request-Id": "RequestId"}
    if path.startswith("/v1/") and call["operationId"] not in _SIGNED_ALONE:
        added |= {"RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
    for status in (500,) if method == "get" else (*_WRITING, 500):
        call["responses"].setdefault(str(status), encoded.refusal(status))
    call["responses"] = dict(sorted(call["responses"].items()))
    for response in call["responses"].values():
        everywhere = {name: {"$ref": f"#/components/headers/{header}"} for name, header in added.items()}
        response["headers"] = {**response.get("headers", {}), **everywhere}


def _link(call: dict[str, Any]) -> None:
    parameters, names = _LINKS.get(call["operationId"], ({}, ()))
    for status, response in call["responses"].items():
        if names and status.startswith("2"):
            response["links"] = {name: {"operationId": name, "parameters": parameters} for name in names}


def _security(path: str, name: str) -> list[dict[str, list[str]]]:
    if not path.startswith("/v1/"):
        return []
    if name in _SIGNED_ALONE:
        return [{"signature": []}]
    return [{"apiKey": []}, {"signature": []}] if name in _SIGNED else [{"apiKey": []}]


def _leave_out_null(field: dict[str, Any]) -> None:
    """Nothing can be null in a query, and what may be left out of an answer never is."""
    schema = field.get("schema", field)
    schema.pop("title", None)
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update(kinds[0])


def _webhooks() -> dict[str, Any]:
    """The messages that are sent to `webhook_url`."""
    return {f"task.{end}": {"post": _webhook(end)} for end in ENDS}


def _webhook(end: str) -> dict[str, Any]:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    message = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": f"task.{end}"},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": reference(TaskDocument),
        },
    }
    return {
        "operationId": f"task_{end}",
        "tags": ["tasks"],
        "summary": f"A task has {'been canceled' if end == 'canceled' else end}",
        "description": "Signed as Standard Webhooks says. The id stays the same over all tries.",
        "parameters": [
            {"name": name, "in": "header", "required": name != names[2], "schema": {"type": "string"}}
            for name in names
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": message}}},
        "responses": {"2XX": {"description": "It was received; anything else is tried again for days"}},
    }


class _Schemas(GenerateJsonSchema):
    """Generates schemas without titles that only repeat the name of a field."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - what it overrides
        """Never."""
        return False


def _schemas() -> dict[str, Any]:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in _REQUESTS]
    models += [(model, "serialization") for model in _RESPONSES]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}", schema_generator=_Schemas)
    definitions: dict[str, Any] = schemas["$defs"]
    request_models = {model.__name__ for model in _REQUESTS}
    for name, schema in definitions.items():
        for field in schema.get("properties", {}).values():
            if "default" in field:
                _put_default_into_words(field, is_request=name in request_models)
    return definitions


def _put_default_into_words(field: dict[str, Any], *, is_request: bool) -> None:
    """Generators of clients take a field with a default for one that is always there."""
    default = field.pop("default")
    if default is not None:
        field["description"] = f"{field['description']}. Left out, it is `{json.dumps(default)}`."
    elif not is_request:
        _leave_out_null(field)


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """`TaskDocument` is our word for it; callers read `Task`."""
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {_OURS.sub("", name): schemas[name] for name in sorted(schemas)}
    renamed: dict[str, Any] = json.loads(
        re.sub(r'("#/components/schemas/\w+?)(Document|Word)"', r'\1"', json.dumps(document))
    )
    return renamed

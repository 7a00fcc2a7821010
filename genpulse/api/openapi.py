"""The OpenAPI document: what the routes say about themselves, and the models they point to."""

import json
import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from genpulse.api.answers import reference
from genpulse.api.catalogue import ModelDocument, ModelList
from genpulse.api.deliveries import DeliveryPage
from genpulse.api.documents import (
    KeptAssetDocument,
    ProgressDocument,
    TaskBatch,
    TaskDocument,
    TaskPage,
)
from genpulse.api.environment import EnvironmentDocument
from genpulse.api.health import Alive, Readiness
from genpulse.api.orders import BatchDocument, OrderDocument, RetryDocument
from genpulse.api.problems import ProblemDocument
from genpulse.api.providers import ProviderList

DESCRIPTION = """\
One durable task API in front of generative media: submit a task, watch it, fetch its files.

Every error is a problem document (RFC 9457) whose `code` is stable. Times are RFC 3339 in UTC.
"""
TAGS = [
    {"name": "tasks", "description": "Submit work, watch it, change its course."},
    {"name": "assets", "description": "Files: what tasks made, and what callers brought."},
    {"name": "catalogue", "description": "What can be asked for."},
    {"name": "service", "description": "How this service is."},
]

_API_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "Calls from this machine need none in the environment `dev`, until the first key is created.",
}
ENDS = ("succeeded", "failed", "canceled")
_TAKEN = (OrderDocument, BatchDocument, RetryDocument)
_SHOWN = (
    Alive,
    DeliveryPage,
    EnvironmentDocument,
    KeptAssetDocument,
    ModelDocument,
    ModelList,
    ProblemDocument,
    ProgressDocument,
    ProviderList,
    Readiness,
    TaskBatch,
    TaskDocument,
    TaskPage,
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
    document["components"] = {"schemas": _schemas(), "securitySchemes": {"apiKey": _API_KEY}}
    for path, calls in document["paths"].items():
        for call in calls.values():
            _leave_out_foreign_refusals(call)
            call["security"] = [{"apiKey": []}, {}] if path.startswith("/v1/") else []
    return _renamed(document)


def _leave_out_foreign_refusals(call: dict[str, Any]) -> None:
    """FastAPI says of every call with parameters that it refuses them in FastAPI's own form."""
    if "application/json" in call["responses"].get("422", {}).get("content", {}):
        del call["responses"]["422"]


def _webhooks() -> dict[str, Any]:
    """What is sent to `webhook_url`."""
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


def _schemas() -> dict[str, Any]:
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in _TAKEN]
    wanted += [(model, "serialization") for model in _SHOWN]
    _, schemas = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    definitions: dict[str, Any] = schemas["$defs"]
    for model in _TAKEN:
        _leave_out_null_defaults(definitions[model.__name__])
    return definitions


def _leave_out_null_defaults(schema: dict[str, Any]) -> None:
    """Generators of clients take a field with a default for one that is always there."""
    for field in schema["properties"].values():
        if "default" in field and field["default"] is None:
            del field["default"]


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """`TaskDocument` is our word for it; callers read `Task`."""
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name.removesuffix("Document"): schemas[name] for name in sorted(schemas)}
    renamed: dict[str, Any] = json.loads(
        re.sub(r'("#/components/schemas/\w+?)Document"', r'\1"', json.dumps(document))
    )
    return renamed

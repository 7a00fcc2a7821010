"""The reference of the HTTP API, from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from website.pages import Page
from website.schema_words import cell, rows, type_words

_HEAD = """# Every call

Made from the [OpenAPI document](../openapi.json). What holds for all of them, such as keys, times and errors, is
in [the HTTP API](http-api.md); what each code of an error means, in [errors](errors.md).

A **bold** field or parameter has to be there.
"""
_VERBS = ("get", "post", "put", "patch", "delete")


def page(document: Mapping[str, Any]) -> Page:
    """Each call with its parameters, bodies and statuses, the webhooks, and every body."""
    return Page("reference/calls.md", "\n".join(_lines(document)) + "\n")


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield _HEAD
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}\n\n{tag['description']}\n"
        for path, verbs in document["paths"].items():
            for verb in (verb for verb in _VERBS if tag["name"] in verbs.get(verb, {}).get("tags", ())):
                yield from _call(verb, path, verbs[verb], document)
    yield "## Webhooks\n\nSent to the `webhook_url` of a task: [webhooks](../how-to/receive-webhooks.md).\n"
    for name, webhook in document["webhooks"].items():
        yield f"### {name}\n\n{webhook['post']['summary']}. {webhook['post']['description']}\n"
        yield from _body(webhook["post"], document)
    yield "## Bodies\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)


def _call(verb: str, path: str, call: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {call['summary']}\n\n`{verb.upper()} {path}`\n\n{call.get('description', '')}\n"
    if parameters := call.get("parameters", []):
        yield "| parameter | in | type | meaning |"
        yield "|---|---|---|---|"
        for one in parameters:
            mark = "**" if one.get("required") else ""
            words, meaning = cell(type_words(one["schema"])), cell(one.get("description", ""))
            yield f"| {mark}`{one['name']}`{mark} | {one['in']} | {words} | {meaning} |"
        yield ""
    yield from _body(call, document)
    yield "| status | when | body | headers |"
    yield "|---|---|---|---|"
    for status, answer in call["responses"].items():
        headers = ", ".join(f"`{name}`" for name in answer.get("headers", {}) if name != "X-Request-Id")
        yield f"| {status} | {cell(answer['description'])} | {_content(answer)} | {headers} |"
    yield ""


def _body(call: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    for media_type, content in call.get("requestBody", {}).get("content", {}).items():
        need = "Body" if call["requestBody"].get("required") else "Body, which may be left out"
        schema = content["schema"]
        named = f": {type_words(schema)}" if "$ref" in schema else ""
        yield f"{need}, `{media_type}`{named}\n"
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        yield from rows(schema)
        yield ""


def _content(answer: Mapping[str, Any]) -> str:
    found = answer.get("content", {})
    return cell(" or ".join(f"{type_words(one.get('schema', {}))} `{kind}`" for kind, one in found.items()))


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if name == "JsonValue":
        return
    yield f"### {name}\n"
    if description := " ".join(schema.get("description", "").split()):
        yield f"{description}\n"
    if "properties" in schema:
        yield from rows(schema)
    else:
        yield type_words(schema)
    yield ""

"""`genpulse models`: what can be asked for."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from genpulse import config
from genpulse.cli.stack import api_key, api_option, api_url, json_option
from genpulse.client import ApiUnreachable, GenPulse
from genpulse.ports import Catalogue
from genpulse.provider import AnyModel
from genpulse.wiring import open_catalogue

Documents = list[Mapping[str, Any]]


@click.command("models")
@click.argument("model", required=False)
@api_option
@json_option
def command(model: str | None, api: str | None, as_json: bool) -> None:
    """What can be asked for; with a MODEL, the fields of its input.

    Asks the API, or looks at the installed providers when none answers.
    """
    documents = found_models(api)
    if model is not None:
        documents = [document for document in documents if document["id"] == model]
        documents = documents or [_unlisted(model)]
    if as_json:
        click.echo(json.dumps(documents[0] if model else documents, indent=2))
    else:
        Console(highlight=False).print(_inputs(documents[0]) if model else _list(documents))


def found_models(api: str | None) -> Documents:
    """From the API, or from the installed providers when nothing answers and no address was given."""
    try:
        return asyncio.run(_from_api(api_url(api)))
    except ApiUnreachable:
        if api is not None:
            raise
        click.echo("No API answers; these are the providers that are installed here.", err=True)
        return _installed()


async def _from_api(url: str) -> Documents:
    async with GenPulse(url, api_key()) as genpulse:
        return await genpulse.models()


def _installed() -> Documents:
    catalogue = open_catalogue(config.load(require=()))
    return [_document(catalogue, model_id, model) for model_id, model in catalogue.models()]


def _unlisted(model_id: str) -> dict[str, Any]:
    """A model that is not listed, as it is known here: vendors have more of them than anybody lists.

    Raises `UnknownModel`.
    """
    catalogue = open_catalogue(config.load(require=()))
    model = catalogue.model(model_id)
    click.echo(
        f"{model_id} is not listed; this is what the providers that are installed here say of it.", err=True
    )
    return _document(catalogue, model_id, model)


def _document(catalogue: Catalogue, model_id: str, model: AnyModel) -> dict[str, Any]:
    return {
        "id": model_id,
        "title": model.title or model.name,
        "description": model.description,
        "kinds": list(model.kinds),
        "configured": not catalogue.lacks(model_id.partition("/")[0]),
        "input_schema": model.input.model_json_schema(),
    }


def _list(documents: Documents) -> Table:
    table = Table(box=None, pad_edge=False)
    longest = max((len(document["id"]) for document in documents), default=0)
    table.add_column("model", no_wrap=True, style="bold", min_width=longest)
    table.add_column("kind", no_wrap=True)
    table.add_column("what it is")
    for document in documents:
        words = document.get("description") or document["title"]
        table.add_row(document["id"], ", ".join(document["kinds"]), f"{_reserve(document)}{words}")
    return table


def _reserve(document: Mapping[str, Any]) -> str:
    """What keeps a model from being used, which an API of an older version does not say."""
    return "" if document.get("configured", True) else "(not set up: genpulse doctor says what is missing) "


def _inputs(document: Mapping[str, Any]) -> Table:
    schema = document["input_schema"]
    table = Table(title=f"{document['id']}: {document.get('description') or ''}", title_justify="left", box=None)
    for column in ("field", "type", "default", "meaning"):
        table.add_column(column)
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        meaning = " ".join(filter(None, (field.get("title"), _range(field), field.get("description"))))
        table.add_row(name, _type(field), "required" if required else json.dumps(field.get("default")), meaning)
    return table


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    return str(field.get("type", "any"))


def _range(field: Mapping[str, Any]) -> str:
    field = field if "anyOf" not in field else {**field["anyOf"][0], **field}
    low, high = field.get("minimum"), field.get("maximum")
    return f"({low} to {high})" if low is not None and high is not None else ""

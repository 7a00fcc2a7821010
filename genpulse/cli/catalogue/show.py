"""`genpulse models show`: what can be asked for."""

import asyncio
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from genpulse import config
from genpulse.api.schemas.model_facts import PriceDocument
from genpulse.cli.catalogue.price_words import price_words
from genpulse.cli.client import AT_A_TERMINAL
from genpulse.cli.output.left_out import say_left_out
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_key, api_option, api_url, json_option
from genpulse.domain.text.storable import showable_line
from genpulse.ports import Catalogue
from genpulse.provider import AnyModel
from genpulse.wiring.catalogue import open_catalogue
from genpulse_client import ApiUnreachable, AsyncGenPulse

Documents = list[Mapping[str, Any]]


@click.command("show")
@click.argument("model", required=False)
@api_option
@json_option
def command(model: str | None, api: str | None, as_json: bool) -> None:
    """What can be asked for; with a MODEL, the fields of its input.

    Asks the API, or looks at the installed providers when none answers. What a provider leaves out, such as the
    file of a workflow that cannot be used, is named on standard error.
    """
    documents = found_models(api)
    if model is not None:
        documents = [document for document in documents if document["id"] == model]
        documents = documents or [_unlisted(model)]
    if as_json:
        say_json(documents[0] if model else documents)
    elif model is None:
        show_table(_list(documents))
    else:
        _show_model(documents[0])


def found_models(api: str | None) -> Documents:
    """The models of the API, or of the installed providers when no API answers and no address was given."""
    try:
        return asyncio.run(_from_api(api_url(api)))
    except ApiUnreachable:
        if api is not None:
            raise
        say("No API answers; these are the providers that are installed here.", err=True)
        return _installed()


async def _from_api(url: str) -> Documents:
    async with AsyncGenPulse(url, api_key(), retries=AT_A_TERMINAL) as genpulse:
        models, providers = await asyncio.gather(genpulse.models(), genpulse.providers())
    say_left_out(providers)
    return [model.document for model in models]


def _installed() -> Documents:
    catalogue = open_catalogue(config.load(require=()))
    return [_document(catalogue, model_id, model) for model_id, model in catalogue.models()]


def _unlisted(model_id: str) -> dict[str, Any]:
    """A model that is not listed, as it is known here: vendors have more of them than anybody lists.

    Raises `UnknownModel`.
    """
    catalogue = open_catalogue(config.load(require=()))
    model = catalogue.model(model_id)
    say(f"{model_id} is not listed; this is what the providers that are installed here say of it.", err=True)
    return _document(catalogue, model_id, model)


def _document(catalogue: Catalogue, model_id: str, model: AnyModel) -> dict[str, Any]:
    lifetime = model.facts.lifetime
    return {
        "id": model_id,
        "title": model.title or model.name,
        "description": model.description,
        "kinds": list(model.kinds),
        "configured": not catalogue.lacks(model_id.partition("/")[0]),
        "price": PriceDocument.of(model.facts.tariff).model_dump(mode="json") if model.facts.tariff else None,
        "deprecated": _day_text(lifetime.deprecated),
        "sunset": _day_text(lifetime.sunset),
        "successor": lifetime.successor,
        "input_schema": model.input.model_json_schema(),
    }


def _day_text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _list(documents: Documents) -> Table:
    table = Table(
        Column("model", style="bold"),
        Column("kind", rank=1, folds=True),
        Column("price", rank=3, folds=True),
        Column("what it is", rank=2, folds=True),
    )
    for document in documents:
        words = document.get("description") or document["title"]
        kinds, price = ", ".join(document["kinds"]), price_words(document.get("price"))
        table.add(document["id"], kinds, price, f"{_reserve(document)}{_end(document)}{words}")
    return table


def _reserve(document: Mapping[str, Any]) -> str:
    """What keeps a model from being used, which an API of an older version does not say."""
    return "" if document.get("configured", True) else "(not set up: genpulse doctor says what is missing) "


def _end(document: Mapping[str, Any]) -> str:
    """Until when there is a model, and what takes its place."""
    instead = f", then {document['successor']}" if document.get("successor") else ""
    if document.get("sunset"):
        return f"(until {document['sunset']}{instead}) "
    return f"(advised against from {document['deprecated']}{instead}) " if document.get("deprecated") else ""


def _show_model(document: Mapping[str, Any]) -> None:
    words = document.get("description") or document["title"]
    say(showable_line(f"{document['id']}: {_end(document)}{words}"))
    if price := document.get("price"):
        say(showable_line(f"{price_words(price)}, as {price['source']} said on {price['date']}"))
    show_table(_inputs(document))


def _inputs(document: Mapping[str, Any]) -> Table:
    schema = document["input_schema"]
    table = Table(
        Column("field", style="bold"),
        Column("type", rank=2, folds=True),
        Column("default", rank=1, folds=True),
        Column("meaning", rank=3, folds=True),
    )
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        title = field.get("title", "")
        description = f"{title}: {field['description']}" if title and field.get("description") else title
        meaning = " ".join(filter(None, (description or field.get("description"), _range(field))))
        table.add(name, _type(field), "required" if required else json.dumps(field.get("default")), meaning)
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

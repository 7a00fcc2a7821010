"""`genpulse providers`: who does it."""

import json

import click
from rich.console import Console
from rich.table import Table

from genpulse.cli.models import found_models
from genpulse.cli.stack import api_option, json_option


@click.command("providers")
@api_option
@json_option
def command(api: str | None, as_json: bool) -> None:
    """Who does it, and what."""
    providers: dict[str, list[str]] = {}
    for document in found_models(api):
        name, _, model = document["id"].partition("/")
        providers.setdefault(name, []).append(model)
    if as_json:
        rows = [{"name": name, "models": models} for name, models in providers.items()]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("provider", style="bold")
    table.add_column("models")
    for name, models in providers.items():
        table.add_row(name, ", ".join(models))
    Console(highlight=False).print(table)

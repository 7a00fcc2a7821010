"""`genpulse config`: show and check the configuration."""

import json
from typing import Any

import click
from pydantic import BaseModel, SecretStr

from genpulse import config
from genpulse.cli.stack import json_option

_HIDDEN = "********"
_INTERNAL = {"environment", "decided_by", "root"}


@click.group("config")
def command() -> None:
    """Show and check the configuration."""


@command.command()
@json_option
def show(as_json: bool) -> None:
    """Every setting that is in force, secrets hidden."""
    settings = config.load(require=())
    values = {name: value for name, value in _shown(settings).items() if name not in _INTERNAL}
    if as_json:
        click.echo(json.dumps({"environment": settings.environment.dynaconf, **values}, indent=2))
        return
    click.echo(f"environment = {settings.environment.dynaconf}  ({settings.decided_by})")
    for key, value in _lines(values):
        click.echo(f"{key} = {value}")


def _shown(section: BaseModel) -> dict[str, Any]:
    return {name: _value(getattr(section, name)) for name in type(section).model_fields}


def _value(value: object) -> Any:
    if isinstance(value, BaseModel):
        return _shown(value)
    if isinstance(value, SecretStr):
        return _HIDDEN
    if isinstance(value, dict):
        return {key: _value(inner) for key, inner in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _lines(values: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines.extend(_lines(value, f"{before}{key}."))
        else:
            lines.append((before + key, "(not set)" if value is None else str(value)))
    return lines


@command.command()
def check() -> None:
    """Exit code 0, or 78 with every problem."""
    settings = config.load()
    click.echo(f"The configuration of {settings.environment.dynaconf} is in order.")

"""The input of a model from the words of a command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from genpulse.cli.errors import CommandRefused
from genpulse_client import AsyncGenPulse

_WORDS = ("prompt", "text")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that is uploaded before the task is submitted."""

    path: Path


def input_of(schema: Mapping[str, Any], prompt: str | None, fields: Sequence[str]) -> dict[str, Any]:
    """The prompt goes where the model takes its words; values are read as JSON where they are JSON.

    `NAME=@FILE` is a `LocalFile` where the model takes a file, and where it takes anything and the file is not
    named as JSON. A field that takes several files may be given several times. Raises `CommandRefused`.
    """
    properties: Mapping[str, Any] = schema.get("properties", {})
    is_free = schema.get("additionalProperties") is True
    body: dict[str, Any] = {}
    if prompt is not None:
        free = _WORDS[:1] if is_free else ()
        place = next((name for name in (*_WORDS, *free) if name in properties or name in free), None)
        if place is None:
            raise CommandRefused(f"This model takes no words; its input has {', '.join(properties)}. Use --input.")
        body[place] = prompt
    for name, value in map(_name_and_text, fields):
        described = properties.get(name, {"format": "asset-ref"} if is_free and _is_media(value) else {})
        if _takes_files(described) and not value.startswith("["):
            body.setdefault(name, []).append(_file_or_text(value))
        else:
            body[name] = _value(described, value)
    return body


def usual_field(field: str) -> tuple[str, object]:
    """For every row of a file: its model says how a text is to be read. Raises `CommandRefused`."""
    name, value = _name_and_text(field)
    return name, _parsed(value) if value.startswith("@") else value


def plain_field(field: str) -> tuple[str, object]:
    """For a model that is not known: what is JSON is that, and all else a text. Raises `CommandRefused`."""
    name, value = _name_and_text(field)
    return name, _parsed(value)


def _name_and_text(field: str) -> tuple[str, str]:
    name, separator, value = field.partition("=")
    if not separator:
        raise click.UsageError(f"--input {field!r} must be KEY=VALUE")
    return name, value


async def uploaded(genpulse: AsyncGenPulse, body: Mapping[str, Any]) -> dict[str, Any]:
    """The input with its files uploaded, each once. Raises `GenPulseError`."""
    assets: dict[Path, str] = {}

    async def given(value: object) -> object:
        match value:
            case LocalFile(path):
                if path not in assets:
                    assets[path] = f"asset:{(await genpulse.upload(path)).id}"
                return assets[path]
            case list():
                return [await given(inner) for inner in value]
            case _:
                return value

    return {name: await given(value) for name, value in body.items()}


def _value(described: Mapping[str, Any], value: str) -> object:
    if _takes_file(described):
        return _file_or_text(value)
    return value if described.get("type") == "string" else _parsed(value)


def _takes_file(described: Mapping[str, Any]) -> bool:
    ways = (described, *described.get("anyOf", ()))
    return any(way.get("format") == "asset-ref" for way in ways)


def _takes_files(described: Mapping[str, Any]) -> bool:
    ways = (described, *described.get("anyOf", ()))
    return any(way.get("type") == "array" and _takes_file(way.get("items", {})) for way in ways)


def _is_media(value: str) -> bool:
    return value.startswith("@") and Path(value[1:]).suffix.lower() != ".json"


def _file_or_text(value: str) -> object:
    if not value.startswith("@"):
        return value
    path = Path(value[1:])
    try:
        path.open("rb").close()
    except OSError as error:
        raise CommandRefused(f"{path} cannot be read: {error.strerror}") from error
    return LocalFile(path)


def _parsed(value: str) -> object:
    try:
        if value.startswith("@"):
            return json.loads(Path(value[1:]).read_text(encoding="utf-8"))
        return json.loads(value)
    except OSError as error:
        raise CommandRefused(f"{value[1:]} cannot be read: {error.strerror}") from error
    except ValueError as error:
        if value.startswith("@"):
            raise CommandRefused(f"{value[1:]} is not JSON: {error}") from error
        return value

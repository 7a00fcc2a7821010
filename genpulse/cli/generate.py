"""`genpulse generate`: one task from its words to its file."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.files import described, target_of
from genpulse.cli.progress import Bars
from genpulse.cli.stack import api_key, api_option, api_url, json_option
from genpulse.cli.task_text import warnings_of
from genpulse.cli.terminal import say
from genpulse.client import GenPulse, TaskView

_WORDS = ("prompt", "text")


@click.command("generate")
@click.argument("prompt", required=False)
@click.option("-m", "--model", default="sandbox/image", show_default=True, help="See `genpulse models`.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File or folder; - is standard output.")
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="KEY=VALUE", help="Another field; =@FILE reads JSON."
)
@click.option("--kind", help="What is meant, where the model does several things. Default: its first.")
@click.option("--seed", type=int, help="Short for --input seed=…")
@api_option
@json_option
def command(
    prompt: str | None,
    model: str,
    output: Path | None,
    inputs: tuple[str, ...],
    kind: str | None,
    seed: int | None,
    api: str | None,
    as_json: bool,
) -> None:
    """Submit one task, follow it, save what it made.

    \b
    genpulse generate "a red fox at dawn" -o fox.png
    genpulse generate "Good morning." --model sandbox/speech --input speed=0.9
    """
    fields = [*inputs, *([f"seed={seed}"] if seed is not None else [])]
    asyncio.run(_generate(api_url(api), prompt, model, kind, fields, output, as_json=as_json))


async def _generate(
    url: str,
    prompt: str | None,
    model: str,
    kind: str | None,
    fields: Sequence[str],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    to_stdout = output is not None and str(output) == "-"
    async with GenPulse(url, api_key()) as genpulse:
        found = await genpulse.model(model)
        body = _input(found["input_schema"], prompt, fields)
        with Bars() as bars:
            following = bars.follow(model)
            task = await genpulse.generate(model, body, on_event=following, kind=kind or found["kinds"][0])
        for warning in warnings_of(task):
            say(f"warning: {warning}", err=True)
        if to_stdout:
            await _write(genpulse, task)
            return
        saved = await _save(genpulse, task, output or Path(), model.rpartition("/")[2])
    if as_json:
        say(json.dumps({**task.document, "files": [str(path) for path, _ in saved]}, indent=2))
    else:
        for path, what in saved:
            say(f"{path}  ({what})")


def _input(schema: Mapping[str, Any], prompt: str | None, fields: Sequence[str]) -> dict[str, Any]:
    """The prompt goes where the model takes its words; values are read as JSON where they are JSON."""
    known: Mapping[str, Any] = schema.get("properties", {})
    body: dict[str, Any] = {}
    if prompt is not None:
        free = _WORDS[:1] if schema.get("additionalProperties") is True else ()
        place = next((name for name in (*_WORDS, *free) if name in known or name in free), None)
        if place is None:
            raise CommandRefused(f"This model takes no words; its input has {', '.join(known)}. Use --input.")
        body[place] = prompt
    for field in fields:
        name, separator, value = field.partition("=")
        if not separator:
            raise click.UsageError(f"--input {field!r} must be KEY=VALUE")
        body[name] = value if known.get(name, {}).get("type") == "string" else _parsed(value)
    return body


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


async def _save(genpulse: GenPulse, task: TaskView, output: Path, name: str) -> list[tuple[Path, str]]:
    saved = []
    for number, asset in enumerate(task.outputs, 1):
        target = target_of(output, f"{name}-{task.id[-6:]}", asset, number, len(task.outputs))
        target.parent.mkdir(parents=True, exist_ok=True)
        saved.append((await genpulse.download(asset, target), described(asset)))
    return saved


async def _write(genpulse: GenPulse, task: TaskView) -> None:
    for asset in task.outputs:
        async for chunk in genpulse.read(asset):
            sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()

"""`genpulse generate`: one task from its words to its file."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from genpulse.cli.generate.model_input import input_of, uploaded, usual_field
from genpulse.cli.generate.model_names import asked_as, model_named
from genpulse.cli.output.destination import STDOUT, Saved, destination, output_option, save_outputs, tell_saved
from genpulse.cli.output.progress import Bars
from genpulse.cli.output.terminal import say
from genpulse.cli.prompt_file.command import PromptFile, generate_all
from genpulse.cli.prompt_file.row_orders import UsualOrder
from genpulse.cli.stack import api_key, api_option, api_url, json_option
from genpulse.cli.tasks.filters import Later, Pair
from genpulse.cli.tasks.text import warnings_of
from genpulse_client import AsyncGenPulse, GenPulseError, RetryLimits, Task, TaskFailed

_PATIENCE = RetryLimits(busy_s=30.0)
"""A key's rate and a short outage are waited out, since what was submitted is paid for."""


@click.command("generate")
@click.argument("prompt", required=False)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    default=("sandbox/image",),
    show_default=True,
    help="See `genpulse models`; or a route, or several: a,b (or -m a -m b) is b where a refuses.",
)
@output_option
@click.option(
    "-i",
    "--input",
    "inputs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another field; =@FILE uploads a file, or reads JSON.",
)
@click.option("--kind", help="What is meant, where the model does several things. Default: its first.")
@click.option("--seed", type=int, help="Short for --input seed=…")
@click.option("--meta", type=Pair(), multiple=True, help="Metadata, by which the task is found again.")
@click.option("--run-at", type=Later(), help="Not before: 2h (from now), 2030-01-31T22:00, …; it is waited for.")
@click.option(
    "--from",
    "prompt_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A task for each row of a .csv, .jsonl or .txt; -o is their folder.",
)
@click.option(
    "--run", "run_name", metavar="NAME", help="With --from: another name makes all anew. Default: FILE's."
)
@click.option("--retry", "retries", is_flag=True, help="With --from: run failed rows again that can succeed.")
@api_option
@json_option
def command(
    prompt: str | None,
    models: tuple[str, ...],
    output: str | None,
    inputs: tuple[str, ...],
    kind: str | None,
    seed: int | None,
    meta: tuple[tuple[str, str], ...],
    run_at: datetime | None,
    prompt_file: Path | None,
    run_name: str | None,
    retries: bool,
    api: str | None,
    as_json: bool,
) -> None:
    """Submit one task, or one for each row of a file, follow them, save what they made.

    \b
    genpulse generate "a red fox at dawn" -o fox.png
    genpulse generate "Good morning." --model sandbox/speech --input speed=0.9
    genpulse generate "at dusk" --model sandbox/restyle --input image=@photo.png
    genpulse generate --from prompts.csv -o out/

    The place is looked at before anything is submitted. Whatever goes wrong afterwards, the task and its outputs
    stay: genpulse tasks save; with --from, the same command again, which pays for nothing twice.
    """
    if output == STDOUT and as_json:
        raise click.UsageError("-o - and --json both want standard output.")
    model = ",".join(models)
    metadata = _metadata(meta)
    fields = [*inputs, *([f"seed={seed}"] if seed is not None else [])]
    if prompt_file is not None:
        if prompt is not None or output == STDOUT:
            raise click.UsageError("--from takes its prompts from the file, and saves into a folder: -o FOLDER/.")
        if run_at is not None:
            raise click.UsageError("--run-at is for one task: rows of a file are known again by what they say.")
        if meta:
            raise click.UsageError("--meta is for one task: in a file the columns metadata.NAME say it.")
        usual = UsualOrder(model, kind, dict(map(usual_field, fields)))
        choice = PromptFile(prompt_file, output, usual, run_name or prompt_file.name, retries)
        click.get_current_context().exit(generate_all(choice, api, as_json=as_json))
    if run_name is not None or retries:
        raise click.UsageError("--run and --retry go with --from.")
    order = _Order(model, kind, prompt, fields, run_at, metadata)
    task, saved = asyncio.run(_generate(api_url(api), order, output))
    tell_saved(task, saved, as_json=as_json)


def _metadata(pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Raises `UsageError` for a name that is given twice."""
    metadata: dict[str, str] = {}
    for name, value in pairs:
        if name in metadata:
            raise click.UsageError(f"--meta: {name!r} is given twice; a task has one value under a name.")
        metadata[name] = value
    return metadata


@dataclass(frozen=True, slots=True)
class _Order:
    model: str
    kind: str | None
    prompt: str | None
    fields: Sequence[str]
    run_at: datetime | None
    metadata: Mapping[str, str]


async def _generate(url: str, order: _Order, output: str | None) -> tuple[Task, Saved]:
    async with AsyncGenPulse(url, api_key(), retries=_PATIENCE) as genpulse:
        model = await model_named(genpulse, order.model)
        wanted = input_of(model.input_schema, order.prompt, order.fields)
        with destination(output, spared="Nothing was submitted.") as where:
            body = await uploaded(genpulse, wanted)
            task = await _submitted(genpulse, order, body, order.kind or model.kinds[0])
            for warning in warnings_of(task):
                say(f"warning: {warning}", err=True)
            return task, await save_outputs(genpulse, task, where, task.model.rpartition("/")[2])


async def _submitted(genpulse: AsyncGenPulse, order: _Order, body: Mapping[str, object], kind: str) -> Task:
    """The task at its good end. Whoever leaves before is told where it can be found. Raises `TaskFailed`."""
    task = await genpulse.submit(
        asked_as(order.model), body, kind=kind, run_at=order.run_at, metadata=order.metadata or None
    )
    try:
        with Bars() as bars:
            following = bars.follow(task.model)
            async for event in genpulse.watch(task.id):
                following(event)
                task = event.task or task
    except (GenPulseError, asyncio.CancelledError):
        say(f"Task {task.id} goes on. Its outputs: genpulse tasks save {task.id} -o PLACE", err=True)
        raise
    if task.status != "succeeded":
        raise TaskFailed(task)
    return task

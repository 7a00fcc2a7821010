"""`genpulse comfyui add`: makes a model of a workflow."""

import asyncio
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from genpulse import config
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say
from genpulse.configuration.settings import Settings
from genpulse.domain.errors import GenPulseError
from genpulse.domain.text.storable import showable, showable_line
from genpulse.wiring.catalogue import learn_provider
from genpulse.wiring.comfyui import Draft, WorkflowRefused, read_draft, register, sheet_for, workflow_folder

_SHOWN = 60
_NONE = "-"


@click.command("add")
@click.argument("workflow", type=click.Path(path_type=Path))
@click.option(
    "--input", "inputs", multiple=True, metavar="NAME=NODE.FIELD", help="What callers may set; repeatable."
)
@click.option(
    "--output", "outputs", multiple=True, metavar="NODE", help="The nodes whose files count. Default: all."
)
@click.option("--name", help="The model becomes comfyui/NAME. Default: the name of the file.")
@click.option(
    "--kind", "kinds", multiple=True, help="The kind of work, such as text-to-image. Default: what it looks like."
)
@click.option("--title", default="", help="What people see as its name.")
@click.option("--replace", is_flag=True, help="Write over a workflow of this name.")
@click.option("--yes", is_flag=True, help="Take the inputs that are proposed, without asking.")
def command(
    workflow: Path,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    name: str | None,
    kinds: tuple[str, ...],
    title: str,
    replace: bool,
    yes: bool,
) -> None:
    """Make a model of a WORKFLOW that ComfyUI has exported in API format (Workflow > Export (API)).

    Shows which of its values can be inputs and asks for those that callers may set. Copies it into the folder of
    workflows, and writes a sheet beside it. A seed is random unless a caller gives one.
    """
    settings = config.load(require=())
    draft = read_draft(workflow)
    chosen = inputs or _chosen(draft, takes_proposal=yes)
    sheet = sheet_for(draft, chosen, outputs, kinds=kinds, title=title)
    model = name or draft.name
    for path in register(draft, model, sheet, workflow_folder(settings), replaces=replace):
        say(f"wrote {path}")
    names = [*sheet.inputs, *(socket.name for socket in draft.titled if socket.name not in sheet.inputs)]
    say(showable_line(f"comfyui/{model} takes {', '.join(names) or 'no input'}: genpulse models comfyui/{model}"))
    _learn(settings)


def _chosen(draft: Draft, *, takes_proposal: bool) -> Sequence[str]:
    """The inputs, from a person or as they are proposed. Raises `CommandRefused` where nobody can be asked."""
    if takes_proposal or not draft.candidates:
        return draft.proposed
    if not sys.stdin.isatty():
        raise CommandRefused(
            f"Nobody can be asked here which values callers may set. Take those that are proposed with --yes"
            f" ({' '.join(draft.proposed) or 'none'}), or name them with --input NAME=NODE.FIELD."
        )
    show_table(_table(draft))
    for socket in draft.titled:
        say(showable_line(f"{socket.name} is an input already, by the title of the node {socket.node}."))

    def words(answer: str) -> Sequence[str]:
        try:
            names = [] if answer.strip() == _NONE else shlex.split(answer)
            sheet_for(draft, names, tuple(draft.graph))
        except (ValueError, WorkflowRefused) as error:
            raise click.UsageError(showable(str(error))) from error
        return names

    question = f"What callers may set, as NAME=NODE.FIELD with blanks between them ({_NONE}: nothing)"
    proposal = " ".join(map(shlex.quote, draft.proposed)) or _NONE
    answer: Sequence[str] = click.prompt(question, default=proposal, value_proc=words, err=True)
    return answer


def _table(draft: Draft) -> Table:
    table = Table(
        Column("proposed", rank=2),
        Column("value", style="bold"),
        Column("of", rank=3),
        Column("type", rank=1),
        Column("is", rank=4, folds=True),
    )
    for one in draft.candidates:
        value = showable_line(str(one.value))[:_SHOWN]
        table.add(one.name if one.is_proposed else "", one.place, one.class_type, one.kind, value)
    return table


def _learn(settings: Settings) -> None:
    """Ask a ComfyUI for types, ranges and choices, where one answers; until then they are guessed."""
    try:
        say(asyncio.run(learn_provider(settings, "comfyui")))
    except (GenPulseError, OSError) as error:
        why = showable_line(str(error))
        say(f"Types are guessed until `genpulse providers learn comfyui` has asked a ComfyUI: {why}", err=True)

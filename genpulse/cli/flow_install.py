"""`genpulse flow install` and `graph`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from genpulse.branching.table import BRANCHES, Branch
from genpulse.cli.flow_options import json_option, repository_here, say_json

if TYPE_CHECKING:
    from genpulse.branching.files import Planned


@click.command()
@click.option("--forge", type=click.Choice(["github", "gitlab"]), default="github", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def install(forge: Literal["github", "gitlab"], dry_run: bool, yes: bool, as_json: bool) -> None:
    """Show what would be written as a diff, ask, and write hooks, CI workflow and rulesets."""
    from genpulse.branching.files import hooks_step, plan, write

    root = repository_here().root
    planned = plan(root, forge)
    changed = [file for file in planned if file.diff]
    step = hooks_step(root)
    if not as_json:
        _show(changed, step)
    if not dry_run:
        if changed and not yes:
            click.confirm(f"Write {len(changed)} file{'' if len(changed) == 1 else 's'}?", abort=True, err=True)
        write(root, planned)
    if as_json:
        say_json({"written": not dry_run, "step": step, "files": [_document(file) for file in changed]})
    elif not dry_run:
        click.echo("".join(f"wrote {file.path}\n" for file in changed), nl=False)


def _show(changed: Sequence["Planned"], step: str) -> None:
    for file in changed:
        click.echo(file.diff)
    if not changed:
        click.echo("Every file is as it should be.")
    if step:
        click.echo(step)


def _document(file: "Planned") -> dict[str, object]:
    return {"path": file.path, "diff": file.diff}


@click.command()
@click.option("--format", "format_", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen."
)
@json_option
def graph(format_: str, output: Path | None, as_json: bool) -> None:
    """The branching model as a drawing for a document. Needs no repository."""
    from genpulse.branching.graph import mermaid, svg

    if as_json:
        say_json([_row(row) for row in BRANCHES])
        return
    text = svg() if format_ == "svg" else mermaid()
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _row(row: Branch) -> dict[str, object]:
    return {
        "branch": row.pattern,
        "purpose": row.purpose,
        "target": row.target,
        "env": row.environment.name,
        "starts_from": list(row.starts_from),
        "merges_into": row.merges_into or None,
        "tags": row.tags,
    }

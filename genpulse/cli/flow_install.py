"""`genpulse flow install` and `graph`."""

from pathlib import Path
from typing import Literal

import click

from genpulse.cli.flow_options import repository_here


@click.command()
@click.option("--forge", type=click.Choice(["github", "gitlab"]), default="github", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def install(ctx: click.Context, forge: Literal["github", "gitlab"], dry_run: bool, yes: bool) -> None:
    """Show what would be written as a diff, ask, and write hooks, CI workflow and rulesets."""
    from genpulse.branching.files import hooks_step, plan, write

    root = repository_here().root
    planned = plan(root, forge)
    changed = [file for file in planned if file.diff]
    for file in changed:
        click.echo(file.diff)
    if not changed:
        click.echo("Every file is as it should be.")
    if step := hooks_step(root):
        click.echo(step)
    if dry_run:
        ctx.exit(0)
    if changed and not yes:
        click.confirm(f"Write {len(changed)} file{'' if len(changed) == 1 else 's'}?", abort=True, err=True)
    write(root, planned)
    for file in changed:
        click.echo(f"wrote {file.path}")


@click.command()
@click.option("--format", "format_", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen."
)
def graph(format_: str, output: Path | None) -> None:
    """The branching model as a drawing for a document. Needs no repository."""
    from genpulse.branching.graph import mermaid, svg

    text = svg() if format_ == "svg" else mermaid()
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")

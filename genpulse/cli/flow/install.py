"""`genpulse flow install`, `uninstall` and `graph`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.table import BRANCHES, Branch
from genpulse.cli.flow.options import json_option, repository_here
from genpulse.cli.output.terminal import agreed, say, say_json

if TYPE_CHECKING:
    from genpulse.branching.files import PlannedFile
    from genpulse.branching.rules.policy import LaneNames, Policy
    from genpulse.branching.rules.versions import Version

_dry_run = click.option("--dry-run", is_flag=True, help="Only show what would change.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command("install")
@click.option("--forge", type=click.Choice(["github", "gitlab"]), default="github", show_default=True)
@click.option(
    "--baseline", metavar="VERSION", help="Releases up to this one are from before, and count as verified."
)
@click.option("--lanes", metavar="DEV,TEST,MAIN", help="What the lanes are called: develop,staging,master.")
@_dry_run
@_yes
@json_option
def install_command(
    forge: Literal["github", "gitlab"],
    baseline: str | None,
    lanes: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show what would be written as a diff, ask, and write hooks, gate, CI workflow and rulesets.

    What others have written stays: their hooks run beside ours, and where a path is taken ours lies beside it.
    """
    from genpulse.branching.files import decided_policy, hooks_step, plan, write
    from genpulse.branching.files.advice import next_steps

    repository = repository_here()
    root, names = repository.root, _names(lanes)
    before = _baseline(repository, baseline)
    policy, _ = decided_policy(root, _policy(repository), before, names)
    planned = plan(root, forge, repository.git.environment, policy=policy, baseline=before, names=names)
    step = hooks_step(root)
    if _agreed(planned, step, dry_run=dry_run, yes=yes, as_json=as_json):
        write(root, planned)
    _report("wrote", planned, step, dry_run=dry_run, as_json=as_json)
    if not as_json:
        say(next_steps(repository, policy, planned, forge, written=not dry_run))


@click.command("uninstall")
@_dry_run
@_yes
@json_option
def uninstall_command(dry_run: bool, yes: bool, as_json: bool) -> None:
    """Show what `install` has written as a diff, ask, and take it back."""
    from genpulse.branching.files import plan_removal, remove
    from genpulse.branching.files.advice import left_on_the_forge

    root = repository_here().root
    planned = plan_removal(root)
    if _agreed(planned, "", dry_run=dry_run, yes=yes, as_json=as_json):
        remove(root, planned)
    _report("took back", planned, "", dry_run=dry_run, as_json=as_json)
    if not as_json:
        say(left_on_the_forge(planned))


def _agreed(planned: Sequence["PlannedFile"], step: str, *, dry_run: bool, yes: bool, as_json: bool) -> bool:
    """Show everything to people, and ask them. Raises `UsageError` where nobody can answer."""
    changed = [file for file in planned if file.diff]
    if not as_json:
        for file in changed:
            say(file.diff)
        say("\n".join(filter(None, ["" if changed else "Every file is as it should be.", step])))
    if dry_run or yes or not changed:
        return not dry_run
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("Nothing was changed: nobody is there to say yes. Give --yes, or --dry-run.")
    if not agreed(f"Change {len(changed)} file{'' if len(changed) == 1 else 's'}?"):
        raise click.Abort
    return True


def _report(verb: str, planned: Sequence["PlannedFile"], step: str, *, dry_run: bool, as_json: bool) -> None:
    changed = [file for file in planned if file.diff]
    if as_json:
        files = [{"path": file.path, "diff": file.diff} for file in changed]
        say_json({"written": not dry_run, "step": step, "files": files})
    elif not dry_run:
        say("".join(f"{verb} {file.path}\n" for file in changed), nl=False)


def _names(lanes: str | None) -> "LaneNames | None":
    from genpulse.branching.rules.policy import LaneNames

    if lanes is None:
        return None
    names = [name.strip() for name in lanes.split(",")]
    if len(names) != len(BRANCHES) - 2 or not all(names):
        raise click.UsageError("--lanes takes three names with commas: develop,staging,master.")
    return LaneNames(*names)


def _policy(repository: Repository) -> "Policy":
    """The team's; the default in a repository without a remote yet."""
    from genpulse.branching.errors import RepositoryUnfit
    from genpulse.branching.rules.policy import DEFAULT

    try:
        return repository.policy
    except RepositoryUnfit:
        return DEFAULT


def _baseline(repository: Repository, text: str | None) -> "Version | None":
    from genpulse.branching.errors import ReleaseRefused
    from genpulse.branching.rules.versions import version_named

    if text is None:
        return None
    version = version_named(text).final
    if version.tag not in repository.refs.tags:
        rule, finding = "A baseline is a release that there is.", f"there is no tag {version.tag}."
        raise ReleaseRefused("tag_missing", rule, finding, f"git fetch --tags {repository.remote}")
    return version


@click.command("graph")
@click.option("--format", "format_", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen."
)
@json_option
def graph_command(format_: str, output: Path | None, as_json: bool) -> None:
    """The branching model as a drawing for a document. Needs no repository."""
    from genpulse.branching.rules.drawing import mermaid, svg
    from genpulse.cli.output.file_names import write_text

    if as_json:
        say_json([_row(row) for row in BRANCHES])
        return
    text = svg() if format_ == "svg" else mermaid()
    if output is None:
        say(text, nl=False)
    else:
        write_text(output, text)


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

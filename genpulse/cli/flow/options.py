"""Options of the commands of `genpulse flow`, the repository, and the output of refusals."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from genpulse.branching.errors import Refusal
from genpulse.branching.git.repository import Repository
from genpulse.cli.output.terminal import say, say_json

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("─━═", "-"),
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛╔╗╚╝", "+"),
        **dict(zip("▶▼●✔✘…·→", ">v*+x~->", strict=True)),
    }
)
"""A drawing in ASCII; each sign is one sign, so that lines stay as long as they are."""
JSON = "genpulse.flow.json"
"""Where a context keeps whether `--json` was asked for."""


def _remember(ctx: click.Context, _parameter: click.Parameter, as_json: bool) -> bool:
    ctx.meta[JSON] = as_json
    return as_json


json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_remember, help="For programs."
)
offline_option = click.option("--offline", is_flag=True, help="Ask no remote; go by what was fetched last.")
signed_option = click.option("--signed", is_flag=True, help="Demand a good signature.")


def repository_here(*, offline: bool = False, trunk: str = "") -> Repository:
    """The repository of the current folder; `trunk` is what dev is called, where that was said."""
    return Repository(Path.cwd(), os.environ, offline=offline, trunk=trunk)


def legible(text: str, encoding: str) -> str:
    """The text with what this encoding does not have drawn with signs that each terminal has."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, errors="replace").decode(encoding)
    return text


def refuse(ctx: click.Context, refusals: Sequence[Refusal]) -> None:
    """Say what is refused: on standard error for people, and on standard output where `--json` was asked for."""
    for refusal in refusals:
        report(refusal, annotated=not ctx.meta.get(JSON))
    say_refusals(ctx, refusals)


def say_refusals(ctx: click.Context, refusals: Sequence[Refusal]) -> None:
    """Print refusals as a document on standard output, where `--json` was given."""
    if ctx.meta.get(JSON):
        say_refused(refusals)


def say_refused(refusals: Sequence[Refusal]) -> None:
    """Print the document of refusals."""
    from genpulse.branching.documents import refused_document

    say_json(refused_document(refusals))


def misuse(error: click.UsageError) -> Refusal:
    """A wrong usage as a refusal, for programs."""
    path = error.ctx.command_path if error.ctx else "genpulse flow"
    return Refusal(
        "usage_wrong", "A command is used as its help says.", error.format_message(), (f"{path} --help",)
    )


def report(refusal: Refusal, *, annotated: bool = True) -> None:
    """Say on standard error what is refused: the rule in red, what was found, what mends it."""
    if annotated:
        annotate("error", refusal)
    rest = str(refusal).partition("\n")[2]
    say(refusal.rule, err=True, fg="red", bold=True)
    say(rest, err=True)


def annotate(level: str, refusal: Refusal) -> None:
    """Show it on the pull request as well, when this is a job of GitHub Actions."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from genpulse.branching.documents import annotation

        say(annotation(level, refusal))

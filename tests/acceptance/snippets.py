"""Code that stands in pages of the documentation, to be run."""

import ast
import inspect
import re
import shlex
import warnings
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import yaml

from genpulse import config
from genpulse.cli.app import genpulse
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.wiring.catalogue import open_catalogue

_DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


class Page:
    """A page, and the blocks of code in it."""

    def __init__(self, name: str) -> None:
        self.text = (_DOCS / name).read_text()

    def blocks(self, language: str) -> list[str]:
        """All blocks in this language, in their order."""
        return [dedent(code) for _, found, code in _FENCE.findall(self.text) if found == language]

    def block(self, words: str) -> str:
        """The one block with these words."""
        (found,) = (dedent(code) for _, _, code in _FENCE.findall(self.text) if words in code)
        return found

    def commands(self) -> list[list[str]]:
        """What is typed: lines that begin with `genpulse`, in blocks or set in by four blanks."""
        lines = re.findall(r"^(?:    )?(?:\$ )?genpulse (.+)$", self.text, re.MULTILINE)
        return [shlex.split(line, comments=True) for line in lines]


async def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a block that may `await`. Returns all names afterwards."""
    compiled = compile(code, "a page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(compiled, names)
    if inspect.isawaitable(made):
        await made
    return names


def understood(words: list[str]) -> click.Command:
    """The command that these words mean, with all of its options. Raises `click.UsageError`."""
    command: click.Command = genpulse
    context = command.make_context("genpulse", list(words))
    while isinstance(command, click.Group) and (rest := _rest(context)):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)
    return command


def _rest(context: click.Context) -> list[str]:
    """What a group leaves to its commands; Click 8 and 9 keep it in two places."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return [*getattr(context, "protected_args", ()), *context.args]


def catalogue_of(
    providers: Mapping[str, Any], folder: Path, variables: Mapping[str, str] | None = None
) -> LoadedCatalogue:
    """The catalogue of a project whose configuration has these providers, with more in variables."""
    (folder / "config").mkdir()
    document = {"development": {"providers": dict(providers)}}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(document))
    return open_catalogue(config.load(folder, process={"ENV": "dev", **(variables or {})}, require=()))

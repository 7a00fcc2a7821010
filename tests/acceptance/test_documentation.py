"""What the pages tell people to type: every command is one, and every body of a submit is taken."""

import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from genpulse.api.schemas.submission import OrderDocument
from tests.acceptance.snippets import understood

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "packages").glob("*/README.md")], key=str
)
COMMAND = re.compile(r"^ *(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?genpulse (?!=)(.+)$", re.MULTILINE)
BODY = re.compile(r"/v1/tasks['\s].*-d '(\{.*?\})'")
CONTINUED = re.compile(r" *\\\n *")
NOT_HERE = {"flow stamp --into /app/.venv": "the folder is in an image"}
"""Commands that cannot be looked at on this machine, and why."""


def pages_with(pattern):
    """Every place where a pattern occurs, as a parameter that names its page."""
    return [
        pytest.param(found, id=f"{path.relative_to(ROOT)}-{number}")
        for path in PAGES
        for number, found in enumerate(pattern.findall(CONTINUED.sub(" ", path.read_text())))
    ]


def words(line):
    """What the shell would hand to the command: up to a comment, a pipe or a redirection."""
    found = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(found) if word in {"|", ">", "&&", "&"}]
    return found[: min(ends, default=len(found))]


@pytest.mark.parametrize("line", pages_with(COMMAND))
def test_a_command_is_understood(line):
    typed = words(line)
    if shlex.join(typed) in NOT_HERE:
        pytest.skip(NOT_HERE[shlex.join(typed)])
    with suppress(click.exceptions.Exit):  # of --help and --version
        understood(typed)


@pytest.mark.parametrize("body", pages_with(BODY))
def test_the_body_of_a_submit_is_taken(body):
    assert OrderDocument.model_validate_json(body).model


def test_something_was_found():
    assert len(pages_with(COMMAND)) > 80
    assert len(pages_with(BODY)) >= 3

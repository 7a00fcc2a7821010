"""What pages tell to type is there: commands, calls, bodies, targets of make, variables; code on them parses."""

import ast
import json
import re
import shlex
import tomllib
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import pytest
import yaml

from genpulse.api.schemas.tasks.submission import OrderDocument
from genpulse.configuration.schema import keys
from genpulse.configuration.sources.variables import variable_name
from tests.acceptance.snippets import understood
from website.build import openapi_document

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "packages").glob("*/README.md")], key=str
)
COMMAND = re.compile(r"^ *(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?genpulse (?!=)(.+)$", re.MULTILINE)
BODY = re.compile(r"/v1/tasks['\s].*-d '(\{.*?\})'")
CONTINUED = re.compile(r" *\\\n *")
CALL = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) +(/[\w/{}<>.…-]*)")
ID = re.compile(r"\{[^}]*\}|<[^>]*>|[0-9a-f]{6,8}(?:-[0-9a-f-]+|…)")
TARGET = re.compile(r"(?:`|^ *)make ([a-z][a-z-]*)", re.MULTILINE)
VARIABLE = re.compile(r"\bGENPULSE_[A-Z][A-Z0-9_]*\b")
BLOCK = re.compile(r"^```(python|json|toml|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_OURS = {
    "POST /hook": "a receiver of webhooks, who is somebody else",
    "GET /openai/v1/webhook_secret": "a call of a door, which is no part of our own API",
    "GENPULSE_REDIS_URL": "the page shows what is said about this misspelling",
    "GENPULSE_URL": "clients and the command line read it; it is no setting",
}
"""Calls and variables on pages that the server does not know, and why."""
PARSERS = {
    "python": partial(compile, filename="a page", mode="exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT),
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}
NOT_HERE = {"flow stamp --into /app/.venv": "the folder is in an image"}
"""Commands that cannot be looked at on this machine, and why."""


def pages_with(pattern):
    """Every place where a pattern occurs, as a parameter that names its page."""
    return [
        pytest.param(found, id=f"{path.relative_to(ROOT)}-{number}")
        for path in PAGES
        for number, found in enumerate(pattern.findall(CONTINUED.sub(" ", path.read_text())))
    ]


CURRENT = [path for path in PAGES if path.name != "CHANGELOG.md"]


def named(path):
    """A page as the name of a test has it."""
    return str(path.relative_to(ROOT))


def words(line):
    """What the shell would hand to the command: up to a comment, a pipe or a redirection."""
    found = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(found) if word in {"|", ">", "&&", "&"}]
    return found[: min(ends, default=len(found))]


def test_the_table_of_contents_has_every_page():
    contents = (ROOT / "docs/README.md").read_text()
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert {page for page in pages if not page.startswith("adr/") and f"({page})" not in contents} == set()


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


@pytest.fixture(scope="module")
def calls():
    """Every verb and path of the API, with `*` for what is chosen by the caller."""
    paths = openapi_document()["paths"]
    return {f"{verb.upper()} {ID.sub('*', path)}" for path, verbs in paths.items() for verb in verbs}


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_a_call_is_one_of_the_api(page, calls):
    named_here = {f"{verb} {ID.sub('*', path).rstrip('.')}" for verb, path in CALL.findall(page.read_text())}
    assert sorted(named_here - calls - set(NOT_OURS)) == []


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_a_target_of_make_is_there(page):
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert sorted(set(TARGET.findall(page.read_text())) - there) == []


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_a_variable_is_a_setting(page):
    forms = [re.sub("<[A-Z]+>", "[A-Z0-9_]+", variable_name(setting.key)) + "(__.*)?" for setting in keys()]
    found = set(VARIABLE.findall(page.read_text())) - set(NOT_OURS)
    whole = {name for name in found if not name.endswith("__")}
    assert [name for name in sorted(whole) if not any(re.fullmatch(form, name) for form in forms)] == []


@pytest.mark.parametrize("block", pages_with(BLOCK))
def test_a_block_of_code_parses(block):
    language, text = block
    PARSERS[language](text)


def test_something_was_found():
    assert len(pages_with(COMMAND)) > 80
    assert len(pages_with(BODY)) >= 3
    assert len(pages_with(BLOCK)) > 25
    assert sum(len(CALL.findall(page.read_text())) for page in CURRENT) > 50


def test_what_is_left_out_is_on_a_page():
    text = "\n".join(page.read_text() for page in PAGES)
    assert [name for name in [*NOT_OURS, *NOT_HERE] if name not in text] == []

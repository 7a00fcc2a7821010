"""Codes of refusals are documented, used, and their mends can be pasted."""

import ast
import re
import subprocess
from pathlib import Path
from typing import get_args

from genpulse.branching import errors
from genpulse.branching.codes import Code
from genpulse.branching.errors import FlowError, MergeRefused, Refusal

ROOT = Path(__file__).parents[3]
CODES = get_args(Code)
SOURCES = sorted((ROOT / "genpulse/branching").rglob("*.py")) + sorted((ROOT / "genpulse/cli/flow").glob("*.py"))


def test_every_code_is_documented_once():
    text = (ROOT / "docs/reference/flow-refusals.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", text, re.M)
    assert [code for code, _ in rows] == list(CODES)
    assert all(meaning.endswith(".") for _, meaning in rows)


def test_every_code_is_one_that_something_says():
    said = {
        node.value
        for path in SOURCES
        if path.name != "codes.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(CODES) - said == set()


def test_codes_are_words_of_small_letters():
    assert len(set(CODES)) == len(CODES)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in CODES)


def test_every_error_keeps_its_refusal():
    refusal = Refusal("merge_conflict", "A rule.", "this", ("one", "two"), "Words.")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FlowError)]
    for kind in kinds:
        error = kind.of(refusal)
        assert type(error) is kind
        assert error.refusal == refusal
        assert (error.code, error.rule, error.found, error.mend, error.note) == (
            "merge_conflict",
            "A rule.",
            "this",
            ("one", "two"),
            "Words.",
        )


def test_a_refusal_as_people_read_it():
    refusal = Refusal("merge_conflict", "A rule.", "a\nb", ("one", "two"), "Words.")
    assert str(refusal) == ("A rule.\n  found: a\n         b\n  note:  Words.\n  mend:  one\n         two")
    assert str(MergeRefused("merge_conflict", "A rule.", "a")) == "A rule.\n  found: a"
    in_words = MergeRefused("merge_conflict", "A rule.", "a", note="Words.")
    assert str(in_words) == "A rule.\n  found: a\n  mend:  Words."
    assert refusal.message == "A rule. Found: a\nb"


def _texts(node):
    """The text of a literal, with a word in place of what is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "word" for part in node.values)]
    return []


def _commands():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "mend" for t in node.targets):
                yield from ((path.name, text) for part in ast.walk(node.value) for text in _texts(part))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS:
                for argument in node.args[3:]:
                    yield from ((path.name, text) for part in ast.walk(argument) for text in _texts(part))


KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type)}


def test_a_mend_can_be_pasted():
    commands = {command: file for file, command in _commands() if command.startswith(("git ", "gen"))}
    assert len(commands) > 50
    for command, file in commands.items():
        assert not re.search(r"<\w+>|…|\n", command), file
        assert subprocess.run(["sh", "-n"], input=command, text=True, check=False).returncode == 0, file

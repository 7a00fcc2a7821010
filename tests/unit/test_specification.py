"""Pages name the tests that hold what they say, and each of these is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/environments.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def names_in(path):
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("page", "least"), [(PAGE, 40), (ROOT / "docs/explanation/durability.md", 15)])
def test_every_test_that_is_named_is_there(page, least):
    named = _NAMED.findall(page.read_text())
    assert len(named) > least
    missing = [(path, name) for path, name in named if name not in names_in(ROOT / path)]
    assert missing == []


def test_every_row_names_one():
    table = PAGE.read_text().partition("## Every cell of the specification")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| where")]
    assert len(rows) > 30
    assert [row for row in rows if not _NAMED.search(row)] == []

"""The threat model names the test that holds each row, and `make security` runs them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`((?:tests/[\w/.]+)|(?:test_\w+\.py))`", (ROOT / "docs/explanation/security.md").read_text())
RECIPE = re.search(r"^security:.*?\n\n", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)


def run_by_make():
    assert RECIPE
    for place in re.findall(r"tests/[\w/.]+", RECIPE[0]):
        path = ROOT / place
        yield path
        yield from path.rglob("*")


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_what_holds_a_row_is_run(named):
    ran = [path for path in run_by_make() if path.relative_to(ROOT).as_posix().endswith(named)]
    assert ran, f"{named} is in docs/explanation/security.md and not in `make security`"
    assert all(path.exists() for path in ran)

"""Python's client and the one for TypeScript: a verb, an option or a filter of one is one of the other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from genpulse_client import GenPulse, Order, TaskFilter

TYPES = (Path(__file__).parents[3] / "packages/client-typescript/src/index.d.ts").read_text()
OF_PYTHON = {"close", "matching"}
"""`fetch` has no connections to close, and `list` takes what `matching` takes."""
OF_TYPESCRIPT = {"bytes"}
"""Python joins what `read` gives."""


def named(kind, pattern):
    """What stands in a class or an interface of the types."""
    body = re.search(rf"^export {kind}\b[^{{]*{{\n(.*?)^}}", TYPES, re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(rf"^  {pattern}", body, re.MULTILINE))


def camel(name):
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def test_a_verb_of_one_is_a_verb_of_the_other():
    ours = {camel(name) for name in vars(GenPulse) if not name.startswith("_") and name not in OF_PYTHON}
    theirs = named("class GenPulse", r"(\w+)\(") | named("class GenPulse", r"(verifyWebhook):")
    assert ours == theirs - OF_TYPESCRIPT - {"constructor"}
    assert vars(GenPulse).keys() >= OF_PYTHON
    assert theirs >= OF_TYPESCRIPT


@pytest.mark.parametrize(("ours", "theirs"), [(Order, ("Order", "OrderOptions")), (TaskFilter, ("TaskFilter",))])
def test_what_may_be_said_is_the_same(ours, theirs):
    said = {name for one in theirs for name in named(f"interface {one}", r"(\w+)\??:")}
    assert {camel(field.name) for field in fields(ours)} == said

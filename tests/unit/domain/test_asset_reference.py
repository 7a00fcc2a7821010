"""Which texts name an asset."""

import json
from uuid import UUID

import pytest
from hypothesis import given

from genpulse.domain.assets.asset import named_in, referred
from tests.references import references, texts

ID = UUID("0197a3a6-1111-7222-8333-00000000abcf")


@pytest.mark.parametrize(
    "text", [f"asset:{ID}", f"asset:{ID.hex}", f"{ID}", f"{ID}".upper(), f"asset:{ID.hex.upper()}"]
)
def test_both_notations_refer(text):
    assert referred(text) == ID


@pytest.mark.parametrize(
    "text", ["", "asset:", ID.hex, f"ASSET:{ID}", f"{{{ID}}}", f"urn:uuid:{ID}", f"{ID}\n", f" {ID}"]
)
def test_nothing_else_does(text):
    assert referred(text) is None


def test_an_address_names_what_stands_in_it():
    text = f"https://example.org/v1/assets/{ID}/content and asset:{ID.hex[::-1]}."
    assert named_in(text) == {ID, UUID(ID.hex[::-1])}


@given(references)
def test_whatever_refers_is_named_wherever_it_stands_in_an_input(reference):
    assert (referred(reference) is None) or referred(reference) in named_in(json.dumps([{"a": reference}]))


@given(references, texts)
def test_what_is_written_around_a_reference_hides_it_from_nobody(reference, text):
    found = referred(reference)
    assert found is None or found in named_in(json.dumps({text: [text, reference, text]}))

"""Addresses of this door in an input."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as some

from genpulse.api.schemas.links import Links
from genpulse.dialects.replicate.files.input_files import shown_input, taken_input
from genpulse.dialects.replicate.links import ReplicateLinks

FILE = "0193a1b2-c3d4-7000-8000-000000000000"
LINKS = ReplicateLinks(Links("https://here.example/sub"))
OURS = f"https://here.example/sub/replicate/v1/files/{FILE}"


@pytest.mark.parametrize(
    "address",
    [
        OURS,
        f"{OURS}/",
        f"{OURS}?a=b",
        f"{OURS}/download",
        f"https://here.example/sub/v1/assets/{FILE}/content",
        f"https://here.example/sub/v1/assets/{FILE}/content?expires=1&signature=x",
    ],
)
def test_an_address_of_ours_becomes_a_reference_wherever_it_stands(address):
    reference = f"asset:{FILE}"
    taken = taken_input({"image": address, "more": [{"a": address}, 1, None]}, LINKS)
    assert taken == {"image": reference, "more": [{"a": reference}, 1, None]}


@pytest.mark.parametrize(
    "text",
    [
        f"https://elsewhere.example/replicate/v1/files/{FILE}",
        f"https://here.example/replicate/v1/files/{FILE}",
        f"https://here.example/sub/replicate/v1/files/{FILE}x",
        "https://here.example/sub/replicate/v1/files/fox.png",
        f"see {OURS}",
        f"{OURS} or so",
        FILE,
        "data:image/png;base64,AAAA",
    ],
)
def test_everything_else_stays(text):
    assert taken_input({"text": text}, LINKS) == {"text": text}


@given(some.uuids())
def test_what_is_taken_is_shown_again(file_id: uuid.UUID):
    document = {"image": LINKS.file(file_id), "strength": 0.5}
    assert shown_input(taken_input(document, LINKS), LINKS) == document

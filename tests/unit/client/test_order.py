"""Orders as they are sent."""

import json
import math
from datetime import UTC, datetime

import pytest

from genpulse_client import Order
from genpulse_client.request import submit, submit_batch
from genpulse_client.results.asset import asset_of

MOMENT = datetime(2030, 1, 31, tzinfo=UTC)
ASSET = asset_of({"id": "a1", "url": "http://x", "media_type": "image/png", "bytes": 5, "sha256": "0"})


def test_what_is_not_said_is_left_out():
    assert Order("a/b", {}).document() == {"model": "a/b", "input": {}}
    assert Order(None, {}, "text-to-image").document() == {"input": {}, "kind": "text-to-image"}
    whole = Order("a/b", {}, "kind", "high", "http://x", 5, {"a": "b"}, "key", 0, MOMENT)
    assert whole.document() == {
        "model": "a/b",
        "input": {},
        "kind": "kind",
        "priority": "high",
        "webhook_url": "http://x",
        "deadline_s": 5,
        "metadata": {"a": "b"},
        "retain_s": 0,
        "run_at": "2030-01-31T00:00:00Z",
    }
    assert submit(whole).headers["Idempotency-Key"] == "key"


def test_files_are_named_wherever_they_stand():
    order = Order(["a/b", "c/d"], {"image": ASSET, "more": [{"mask": ASSET}, 5]})
    assert json.loads(submit(order).content) == {
        "model": ["a/b", "c/d"],
        "input": {"image": "asset:a1", "more": [{"mask": "asset:a1"}, 5]},
    }


def test_each_submit_has_a_key_of_its_own():
    assert submit(Order("a/b", {})).headers != submit(Order("a/b", {})).headers


@pytest.mark.parametrize("key", ["", " a", "a ", "a\nb", "ä", "x" * 256])
def test_a_key_that_no_header_takes_is_told(key):
    with pytest.raises(ValueError, match="idempotency key"):
        submit_batch([Order("a/b", {}, idempotency_key="fine")], key)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_does_not_have_are_told(value):
    with pytest.raises(ValueError, match="JSON"):
        submit(Order("a/b", {"strength": value}))


def test_half_a_character_is_sent_as_it_is_for_the_api_to_refuse():
    assert b"\\ud83d" in submit(Order("a/b", {"prompt": "\ud83d"})).content

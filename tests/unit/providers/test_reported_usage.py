"""What vendors say that an order took, and what that costs by the price of the model."""

from decimal import Decimal

import pytest

from genpulse.provider import ProviderSettings
from genpulse.providers.openai_compatible import openai
from genpulse.providers.openai_compatible.token_usage import usage_of
from genpulse.providers.replicate.engine import usage_in

DETAILS = {"text_tokens": 10, "image_tokens": 20}


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 30, "input_tokens_details": DETAILS, "output_tokens": 40}, (10, 20, 40)),
        ({"input_tokens": 30, "output_tokens": 40}, (30, None, 40)),
        ({"output_tokens": 40}, (None, None, 40)),
        ({"input_tokens": 30}, None),
        ({"output_tokens": -1}, None),
        ({"output_tokens": True}, None),
        ({"output_tokens": "40"}, None),
        ({"output_tokens": 40, "input_tokens_details": [1]}, (None, None, 40)),
        (None, None),
        ([], None),
        ("many", None),
    ],
)
def test_tokens_of_a_server_like_openai(usage, tokens):
    found = usage_of({"data": [], "usage": usage})
    told = found and tuple(found.tokens.get(kind) for kind in ("text_input", "image_input", "output"))
    assert told == tokens


def test_a_picture_of_openai_costs_what_its_tokens_do():
    model = next(one for one in openai(ProviderSettings()).models if one.name == "gpt-image-1.5")
    wanted = model.parse({"prompt": "a fox"})
    cost = model.cost_of(wanted, usage_of({"usage": {"input_tokens": 5, "output_tokens": 4160}}))
    assert cost.amount_usd == Decimal("0.13316")
    assert cost.amount_usd <= model.price_of(wanted)
    assert not cost.estimated
    assert cost.rule_version == model.facts.tariff.version


@pytest.mark.parametrize(
    ("metrics", "seconds"),
    [
        ({"predict_time": 1.25}, "1.25"),
        ({"predict_time": 0}, "0"),
        ({"predict_time": -1}, None),
        ({"predict_time": None}, None),
        ({"predict_time": float("nan")}, None),
        ({}, None),
        (None, None),
        ([1], None),
    ],
)
def test_seconds_of_replicate(metrics, seconds):
    found = usage_in({"metrics": metrics})
    assert (found and found.gpu_seconds) == (seconds and Decimal(seconds))

"""What of an order tells it from another one."""

import pytest

from genpulse.domain.submission.order import Order
from genpulse.domain.submission.webhook_choice import WebhookChoice, WebhookEvent

ORDER = Order("a/b", {"prompt": "x"}, webhook_url="https://h/", retain_s=5)
KEPT = "a3b83c9e24873502143dc54021ac3d07374dd7bd6df55655091c145de5c0b131"
"""As it lies in databases since before there were choices."""


def chosen(form: str, *events: WebhookEvent) -> str:
    choice = WebhookChoice(form, frozenset(events))
    return Order("a/b", {"prompt": "x"}, webhook_url="https://h/", retain_s=5, webhook_choice=choice).fingerprint()


def test_orders_without_a_choice_keep_their_fingerprint():
    assert ORDER.fingerprint() == KEPT


def test_a_choice_is_part_of_the_order_in_whatever_order_its_events_are():
    start, end = WebhookEvent.START, WebhookEvent.END
    prints = [
        KEPT,
        chosen("", end),
        chosen("fal", end),
        chosen("fal", start),
        chosen("fal", start, end),
        chosen(""),
    ]
    assert len(set(prints)) == len(prints)
    assert chosen("fal", start, end) == chosen("fal", end, start)


@pytest.mark.parametrize(
    ("events", "tells"),
    [
        ({WebhookEvent.END}, {True, False}),
        ({WebhookEvent.OUTPUT}, {True}),
        ({WebhookEvent.START, WebhookEvent.PROGRESS}, set()),
        (set(WebhookEvent), {True, False}),
    ],
)
def test_which_ends_are_told(events, tells):
    choice = WebhookChoice("x", frozenset(events))
    assert {succeeded for succeeded in (True, False) if choice.wants_end(succeeded=succeeded)} == tells

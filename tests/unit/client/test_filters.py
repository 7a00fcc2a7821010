"""Filters as a query and as a body have them."""

from datetime import UTC, date, datetime

import pytest

from genpulse_client import TaskFilter

EVERYTHING = TaskFilter(
    status=["failed", "canceled"],
    provider="art",
    batch="b1",
    ids=("a", "b"),
    metadata={"customer": ["acme", "ä"], "plan": ""},
    created_after=datetime(2030, 1, 31, tzinfo=UTC),
    created_before=date(2030, 2, 1),
)


def test_a_query_names_each_value():
    assert EVERYTHING.query() == (
        ("status", "failed"),
        ("status", "canceled"),
        ("provider", "art"),
        ("batch", "b1"),
        ("ids", "a"),
        ("ids", "b"),
        ("metadata.customer", "acme"),
        ("metadata.customer", "ä"),
        ("metadata.plan", ""),
        ("created_after", "2030-01-31T00:00:00Z"),
        ("created_before", "2030-02-01"),
    )
    assert TaskFilter().query() == ()


def test_a_body_leaves_out_only_what_is_not_said():
    assert EVERYTHING.document() == {
        "status": ["failed", "canceled"],
        "provider": "art",
        "batch": "b1",
        "ids": ["a", "b"],
        "metadata": {"customer": ["acme", "ä"], "plan": ""},
        "created_after": "2030-01-31T00:00:00Z",
        "created_before": "2030-02-01",
    }
    assert TaskFilter(text="").document() == {"text": ""}
    assert TaskFilter().document() == {}


@pytest.mark.parametrize("empty", [{"ids": []}, {"status": ()}, {"model": []}, {"metadata": {"customer": []}}])
def test_a_list_without_values_does_not_mean_all(empty):
    with pytest.raises(ValueError, match="has no values"):
        TaskFilter(**empty)

"""What an attempt cost, as plug-ins say it."""

from decimal import Decimal

import pytest

from genpulse.domain.money.cost import Cost


@pytest.mark.parametrize(
    ("said", "kept"), [(Decimal("0.04"), "0.04"), (3, "3"), (0.1, "0.1"), (1e-7, "1E-7"), (10**30, str(10**30))]
)
def test_a_number_is_kept_as_it_is_written_down(said, kept):
    assert Cost(said).amount_usd == Decimal(kept)


@pytest.mark.parametrize("said", ["0.04", None, True, [1]])
def test_what_is_no_number_is_refused_where_it_is_made(said):
    with pytest.raises(TypeError, match=r"US dollars as a decimal\.Decimal"):
        Cost(said)


@pytest.mark.parametrize("said", [float("nan"), float("inf"), -1, 10**12])
def test_what_is_no_amount_counts_for_nothing(said):
    assert Cost(said).counts_usd is None

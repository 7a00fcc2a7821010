"""How pages write times, amounts and sizes."""

from decimal import Decimal

import pytest

from genpulse.console import rendering


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "—"),
        ("0", "$0.00"),
        ("1.5", "$1.50"),
        ("0.25", "$0.25"),
        ("0.0042", "$0.0042"),
        ("1234.567", "$1,234.57"),
    ],
)
def test_amounts(amount, shown):
    assert rendering.usd(None if amount is None else Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "—"),
        (0.0123, "12 ms"),
        (2.34, "2.3 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3661, "1 h 1 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_durations(count, shown):
    assert rendering.seconds(count) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (10**13, "10,000.0 GB")],
)
def test_sizes(count, shown):
    assert rendering.size(count) == shown


@pytest.mark.parametrize(("share", "shown"), [(0, "0 %"), (0.031, "3.1 %"), (0.5, "50 %"), (1, "100 %")])
def test_shares(share, shown):
    assert rendering.percent(share) == shown


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://shop.example/hook", "https://shop.example/hook"),
        ("https://anna:pw@shop.example/hook?token=x#y", "https://shop.example/hook?…"),
        ("https://shop.example?token=x", "https://shop.example?…"),
        ("https://shop.example/#token=x", "https://shop.example/#…"),
        ("https://shop.example/a@b", "https://shop.example/a@b"),
        ("no url?x", "no url?…"),
        ("", ""),
    ],
)
def test_an_address_without_what_may_be_secret(url, bare):
    assert rendering.bare_url(url) == bare

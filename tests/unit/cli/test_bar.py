"""Bars in tables."""

from decimal import Decimal

import pytest

from genpulse.cli.output.bar import WIDTH, bar


@pytest.mark.parametrize(
    ("value", "most", "blocks", "plain"),
    [
        ("1", "1", "█" * WIDTH, "#" * WIDTH),
        ("1", "2", "█" * (WIDTH // 2), "#" * (WIDTH // 2)),
        ("1", "160", "▏", "#"),
        ("0.000001", "1000000", "▏", "#"),
        ("11", "160", "█▍", "#"),
        ("0", "1", "", ""),
        ("0", "0", "", ""),
        ("-1", "1", "", ""),
    ],
)
def test_a_bar_is_as_long_as_its_part_of_the_most(value, most, blocks, plain):
    assert bar(Decimal(value), Decimal(most), encoding="utf-8") == blocks
    for encoding in ("ascii", "latin-1", "no-such-encoding"):
        assert bar(Decimal(value), Decimal(most), encoding=encoding) == plain

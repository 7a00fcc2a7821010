"""Every moment is told once: by sums, or by the tasks themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.search.usage_spans import TimeSpan, UsageSpans

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
LENGTH = 60


def at(minute):
    return BEGIN + timedelta(minutes=minute)


def minutes_of(spans):
    return [
        minute for span in spans for minute in range(LENGTH) if span.start <= at(minute) and at(minute) < span.end
    ]


@given(st.sets(st.integers(0, LENGTH), max_size=40).map(sorted), st.integers(1, 5))
def test_every_moment_is_told_once_by_a_few_pieces(borders, most):
    pairs = zip(borders[::2], borders[1::2], strict=False)
    unsummed = [TimeSpan(at(start), at(end)) for start, end in pairs]
    spans = UsageSpans.of(TimeSpan(at(0), at(LENGTH)), unsummed, 7, most)
    assert sorted([*minutes_of(spans.counted), *minutes_of(spans.summed)]) == list(range(LENGTH))
    assert set(minutes_of(unsummed)) <= set(minutes_of(spans.counted))
    assert len(spans.counted) <= most
    assert len(spans.summed) <= most + 1


def test_what_lies_closest_is_put_together():
    unsummed = [TimeSpan(at(0), at(1)), TimeSpan(at(10), at(11)), TimeSpan(at(12), at(13))]
    spans = UsageSpans.of(TimeSpan(at(0), at(LENGTH)), unsummed, None, 2)
    assert spans.counted == [TimeSpan(at(0), at(1)), TimeSpan(at(10), at(13))]
    assert spans.summed == (TimeSpan(at(1), at(10)), TimeSpan(at(13), at(LENGTH)))


@pytest.mark.parametrize(
    ("start_h", "end_h", "days_h", "hours_h"),
    [
        (0, 24, [(0, 24)], []),
        (1, 24, [], [(1, 24)]),
        (1, 49, [(24, 48)], [(1, 24), (48, 49)]),
        (24, 73, [(24, 72)], [(72, 73)]),
        (5, 7, [], [(5, 7)]),
    ],
)
def test_whole_days_are_told_by_sums_of_days(start_h, end_h, days_h, hours_h):
    def spans_of(pairs):
        return [TimeSpan(BEGIN + timedelta(hours=start), BEGIN + timedelta(hours=end)) for start, end in pairs]

    (span,) = spans_of([(start_h, end_h)])
    spans = UsageSpans.of(span, [], None)
    assert list(spans.days) == spans_of(days_h)
    assert list(spans.hours) == spans_of(hours_h)

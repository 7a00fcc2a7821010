"""Times as people say them on a command line."""

from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

from genpulse.cli.tasks.filters import Later, Moment, moment_of

NOW = datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "ago", "later"),
    [
        ("7d", datetime(2030, 1, 24, 10, tzinfo=UTC), datetime(2030, 2, 7, 10, tzinfo=UTC)),
        ("90 m", datetime(2030, 1, 31, 8, 30, tzinfo=UTC), datetime(2030, 1, 31, 11, 30, tzinfo=UTC)),
        ("0s", NOW, NOW),
        ("2030-03-01T22:00:00Z", *[datetime(2030, 3, 1, 22, tzinfo=UTC)] * 2),
        ("2030-03-01T22:00:00+05:00", *[datetime(2030, 3, 1, 17, tzinfo=UTC)] * 2),
        ("2030-03-01T22:00", *[datetime(2030, 3, 1, 22).astimezone()] * 2),
        ("2030-03-01", *[datetime(2030, 3, 1).astimezone()] * 2),
    ],
)
def test_a_span_is_ago_or_to_come_and_a_time_is_itself(text, ago, later):
    assert moment_of(text, NOW) == ago
    assert moment_of(text, NOW, Later.sign) == later


@pytest.mark.parametrize("kind", [Moment(), Later()])
@pytest.mark.parametrize(
    "text", ["", "soon", "-1h", "+1h", "1y", "999999w", "2030-13-01", "2030-01-31T25:00", "1h 5m"]
)
def test_what_is_no_time_is_said_with_some_that_are(kind, text):
    with pytest.raises(click.BadParameter, match=r"is no time\. Give one such as"):
        kind.convert(text, None, None)

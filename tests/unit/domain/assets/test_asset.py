from datetime import UTC, datetime, timedelta, timezone

import pytest

from genpulse.domain.assets.asset import KEY_LASTS, key_of

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("at", "week"),
    [
        (datetime(2030, 1, 28, tzinfo=UTC), "2030-W05"),
        (datetime(2030, 2, 3, 23, 59, 59, tzinfo=UTC), "2030-W05"),
        (datetime(2030, 2, 4, 1, tzinfo=timezone(timedelta(hours=2))), "2030-W05"),
        (datetime(2030, 2, 4, tzinfo=UTC), "2030-W06"),
        (datetime(2027, 1, 1, tzinfo=UTC), "2026-W53"),
        (datetime(2029, 12, 31, tzinfo=UTC), "2030-W01"),
    ],
)
def test_a_key_begins_with_the_week(at, week):
    assert key_of(DIGEST, at) == f"assets/{week}/ab/{DIGEST}"


def test_no_key_lasts_longer_than_it_says_and_none_comes_back():
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [begin + timedelta(hours=hour) for hour in range(0, 24 * 366 * 8, 5)]
    last = {key_of(DIGEST, at): at for at in hours}
    first = {key_of(DIGEST, at): at for at in reversed(hours)}
    assert all(last[key] - first[key] < KEY_LASTS for key in first)

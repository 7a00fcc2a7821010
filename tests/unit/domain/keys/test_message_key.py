"""Which key signs messages when, and which ones receivers can know."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.keys.message_key import KNOWN_AFTER, MessageKey, keys_at

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ages = st.lists(st.integers(0, 10_000), min_size=1, max_size=6)


def made(hours: float, number: int = 1) -> MessageKey:
    return MessageKey(UUID(int=number), bytes([number]) * 32, START + timedelta(hours=hours))


def test_the_first_signs_at_once():
    first = made(0)
    assert keys_at(START, [first]).signs == first


def test_the_second_signs_after_a_day_and_the_first_is_known_for_another():
    first, second = made(0, 1), made(100, 2)
    published = second.created_at
    for at, signs, known in (
        (published, first, (first, second)),
        (published + KNOWN_AFTER - MINUTE, first, (first, second)),
        (published + KNOWN_AFTER, second, (first, second)),
        (published + 2 * KNOWN_AFTER - MINUTE, second, (first, second)),
        (published + 2 * KNOWN_AFTER, second, (second,)),
    ):
        keys = keys_at(at, [second, first])
        assert (keys.signs, keys.published) == (signs, known)


def test_three_at_once_are_all_known():
    keys = [made(0, 1), made(1, 2), made(2, 3)]
    assert keys_at(START + timedelta(hours=3), keys).published == tuple(keys)


@given(ages, st.integers(0, 20_000))
def test_what_signs_was_known_to_whoever_remembers_keys_for_a_day(minutes, now):
    """Unless it is the first one, which nobody could know before."""
    keys = [MessageKey(UUID(int=n), bytes(32), START + age * MINUTE) for n, age in enumerate(minutes, 1)]
    at = max(key.created_at for key in keys) + now * MINUTE
    found = keys_at(at, keys)
    assert found.signs in found.published
    first = min(keys, key=lambda key: (key.created_at, key.id))
    asked = at - KNOWN_AFTER
    there = [key for key in keys if key.created_at <= asked]
    if there and found.signs != first:
        assert found.signs in keys_at(asked, there).published


@given(ages, st.integers(0, 20_000))
def test_what_has_signed_in_the_last_day_is_still_known(minutes, now):
    keys = [MessageKey(UUID(int=n), bytes(32), START + age * MINUTE) for n, age in enumerate(minutes, 1)]
    at = max(key.created_at for key in keys) + now * MINUTE
    known = keys_at(at, keys).published
    for ago in range(0, 24 * 60, 60):
        there = [key for key in keys if key.created_at <= at - ago * MINUTE]
        if there:
            assert keys_at(at - ago * MINUTE, there).signs in known

"""The beginning of an id."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.domain.text.id_prefix import ids_beginning_with


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.uuids(), st.uuids(), st.integers(1, 36))
def test_an_id_begins_so_exactly_when_it_lies_between(one, other, length):
    prefix = str(one)[:length]
    lowest, highest = ids_beginning_with(prefix)
    assert lowest <= one <= highest
    assert (lowest <= other <= highest) == str(other).startswith(prefix)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("0189af-", max_size=38))
def test_it_is_a_beginning_exactly_when_some_id_begins_so(text):
    digits = text.replace("-", "")
    some = str(UUID(digits[:32].ljust(32, "0")))
    assert (ids_beginning_with(text) is not None) == (bool(digits) and some.startswith(text))


@pytest.mark.parametrize(
    "prefix", ["", "-", "x", "0193A", "0193a1b2c", "0193a1b2--", "0" * 37, "0193 ", "٣", "0193\n"]
)
def test_no_id_begins_so(prefix):
    assert ids_beginning_with(prefix) is None


def test_a_whole_id_is_its_own_beginning():
    task_id = UUID("0193a1b2-c3d4-7e5f-8a9b-000000000001")
    assert ids_beginning_with(str(task_id)) == (task_id, task_id)

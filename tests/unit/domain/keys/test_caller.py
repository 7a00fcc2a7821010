"""Callers with an API key, and without one."""

from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.task import Priority
from tests.api_keys import new_key


def test_without_a_key_everything_is_visible_and_nothing_is_limited():
    assert WITHOUT_KEY.sees("somebody")
    assert (WITHOUT_KEY.owner, WITHOUT_KEY.limits, WITHOUT_KEY.usual_priority) == (
        "",
        KeyLimits(),
        Priority.NORMAL,
    )
    assert Caller(None) == WITHOUT_KEY


def test_a_key_sees_what_is_its_own():
    key = new_key(limits=KeyLimits(max_priority=Priority.LOW))
    caller = Caller(key)
    assert caller.owner == str(key.id)
    assert [caller.sees(owner) for owner in (caller.owner, "another", "")] == [True, False, False]
    assert caller.usual_priority is Priority.LOW


def test_an_administrator_sees_what_belongs_to_others():
    assert Caller(new_key(scopes=frozenset({Scope.ADMIN}))).sees("another")

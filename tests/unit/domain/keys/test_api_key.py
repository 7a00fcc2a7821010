"""Keys and their tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from genpulse.domain.keys.api_key import KeyState, Scope, Token, digest_of
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.key_grant import excess
from tests.api_keys import new_key

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_tokens_are_long_random_and_begin_with_their_prefix():
    tokens = {Token.new("gp_test_").text for _ in range(100)}
    assert len(tokens) == 100
    assert all(text.startswith("gp_test_") and len(text) == 8 + 43 for text in tokens)


def test_a_token_does_not_show_itself():
    token = Token.new("gp_dev_")
    assert token.text not in repr(token)
    assert token.text[7:11] == token.hint


def test_what_is_kept_is_a_digest():
    token = Token.new("gp_dev_")
    assert len(digest_of(token.text)) == 32
    assert digest_of(token.text) == digest_of(token.text) != digest_of(token.text + "x")


def test_a_key_ends_by_its_time_or_by_somebody():
    assert new_key().state(NOW) is KeyState.ACTIVE
    assert new_key(expires_at=NOW).state(NOW) is KeyState.EXPIRED
    assert new_key(expires_at=NOW + timedelta(seconds=1)).state(NOW) is KeyState.ACTIVE
    assert new_key(revoked_at=NOW, expires_at=NOW).state(NOW) is KeyState.REVOKED


def test_admin_is_everything():
    reader, admin = new_key(scopes=frozenset({Scope.READ})), new_key(scopes=frozenset({Scope.ADMIN}))
    assert reader.allows(Scope.READ)
    assert not reader.allows(Scope.WRITE)
    assert not reader.allows(Scope.ADMIN)
    assert all(admin.allows(scope) for scope in Scope)


@pytest.mark.parametrize("more", [frozenset(), frozenset({Scope.READ, Scope.WRITE})])
def test_who_only_looks_sees_all_and_changes_nothing_whatever_else_the_key_has(more):
    viewer = new_key(scopes=frozenset({Scope.VIEW}) | more)
    assert [scope for scope in Scope if viewer.allows(scope)] == [Scope.READ, Scope.VIEW]
    assert Caller(viewer).sees_all
    assert excess(viewer, new_key(scopes=frozenset({Scope.WRITE}))) == ("scopes",)
    assert excess(new_key(), viewer) == ("scopes",)

"""API keys for tests."""

from datetime import UTC, datetime
from typing import Any

import uuid_utils.compat

from genpulse.domain.keys.api_key import ApiKey, Scope, Token, digest_of
from genpulse.ports import KeyStore

BOTH = frozenset({Scope.READ, Scope.WRITE})


def new_key(**changes: Any) -> ApiKey:
    """A key that is good for reading and writing."""
    values = {
        "id": uuid_utils.compat.uuid7(),
        "name": "a product",
        "hint": "abcd",
        "scopes": BOTH,
        "created_at": datetime.now(UTC),
        **changes,
    }
    return ApiKey(**values)


async def added(keys: KeyStore, prefix: str = "gp_dev_", **changes: Any) -> tuple[ApiKey, dict[str, str]]:
    """A key that a store knows, and the headers of a call with it."""
    token, key = Token.new(prefix), new_key(**changes)
    await keys.add(key, digest_of(token.text))
    return key, {"Authorization": f"Bearer {token.text}"}

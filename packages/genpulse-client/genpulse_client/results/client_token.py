"""Client tokens: for minutes, a small part of what an API key may do, such as for a page in a browser."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.results.moment import moment_of


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A client token. `token` is its secret, which is known right after it was made and None later.

    It opens `tasks`, or those that are submitted by it of `models`: `max_tasks` of them, for `max_usd`.
    `used_tasks` and `used_usd` are what was done by it. `document` is all that the API says.
    """

    id: str
    token: str | None = field(repr=False)
    expires_at: datetime
    revoked_at: datetime | None
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    max_tasks: int | None
    max_usd: Decimal | None
    used_tasks: int
    used_usd: Decimal
    document: Mapping[str, Any] = field(repr=False, compare=False)


def client_token_of(document: Any) -> ClientToken:
    """A client token from its JSON. Raises `UnexpectedAnswer`."""
    try:
        expires_at = moment_of(document["expires_at"])
        if expires_at is None:
            raise TypeError("expires_at is null")
        max_usd, usage = document["max_usd"], document["usage"]
        return ClientToken(
            id=document["id"],
            token=document.get("token"),
            expires_at=expires_at,
            revoked_at=moment_of(document["revoked_at"]),
            tasks=tuple(document["tasks"]),
            models=tuple(document["models"]),
            max_tasks=document["max_tasks"],
            max_usd=None if max_usd is None else Decimal(max_usd),
            used_tasks=usage["tasks"],
            used_usd=Decimal(usage["usd"]),
            document=document,
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise UnexpectedAnswer(
            f"The answer is no client token: {error!r}. Is the server older than this client?"
        ) from error

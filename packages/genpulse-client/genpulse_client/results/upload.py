"""Addresses by which somebody else brings a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.results.moment import moment_of


@dataclass(frozen=True, slots=True)
class Upload:
    """Where one file is to be brought, by whoever has `url`: as the body of a request by `method`, without a key.

    It becomes the asset `asset_id`, is of at most `max_bytes` bytes and of `media_type`, and has to begin to come
    before `expires_at`. `document` is all that the API says.
    """

    asset_id: str
    url: str = field(repr=False)
    method: str
    media_type: str
    max_bytes: int
    expires_at: datetime
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def reference(self) -> str:
        """What names the file in the input of a task, once it was brought: `asset:<id>`."""
        return f"asset:{self.asset_id}"


def upload_of(document: Any) -> Upload:
    """An address from its JSON. Raises `UnexpectedAnswer`."""
    try:
        expires_at = moment_of(document["expires_at"])
        if expires_at is None:
            raise TypeError("expires_at is null")
        return Upload(
            asset_id=document["asset_id"],
            url=document["url"],
            method=document["method"],
            media_type=document["media_type"],
            max_bytes=document["max_bytes"],
            expires_at=expires_at,
            document=document,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnexpectedAnswer(
            f"The answer is no address for a file: {error!r}. Is the server older than this client?"
        ) from error

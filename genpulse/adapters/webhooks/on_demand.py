"""The message sender of a process that may never send any."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.webhook_delivery import Answer
from genpulse.ports.webhooks import NO_HEADERS, MessageSender


class ClosableSender(MessageSender, Protocol):
    """A sender that has something open."""

    async def close(self) -> None:
        """Close it."""


class SenderOnDemand:
    """Implements `MessageSender` by one that is made with the first question. Close it with `close()`."""

    def __init__(self, make: Callable[[], ClosableSender]) -> None:
        self._make = make
        self._made: ClosableSender | None = None

    def refusal(self, url: str) -> str | None:
        """Why nothing is ever sent there, as far as the URL alone tells."""
        return self._sender.refusal(url)

    async def send(
        self,
        url: str,
        message_id: str,
        body: bytes,
        *,
        now: datetime,
        secrets: SigningSecrets | None = SHARED,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Send it once, signed by these."""
        return await self._sender.send(url, message_id, body, now=now, secrets=secrets, headers=headers)

    @property
    def _sender(self) -> ClosableSender:
        if self._made is None:
            self._made = self._make()
        return self._made

    async def close(self) -> None:
        """Close what was made."""
        if self._made is not None:
            await self._made.close()

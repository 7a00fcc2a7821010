"""A sender that keeps its messages in this process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.webhook_delivery import Answer
from genpulse.ports.webhooks import NO_HEADERS


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was sent."""

    url: str
    message_id: str
    body: bytes
    secrets: SigningSecrets | None = SHARED
    headers: Mapping[str, str] = field(default_factory=dict)


class MemoryMessageSender:
    """Implements `MessageSender`. Answers as it is told, and then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Sent] = []
        self._answers: Iterator[Answer] = iter(answers)

    def refusal(self, url: str) -> str | None:
        """Every URL is accepted, since nothing is sent."""
        return None

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
        """Keep it."""
        self.sent.append(Sent(url, message_id, body, secrets, headers))
        return next(self._answers, Answer(204))

"""A sender that keeps its messages in this process."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.webhook_delivery import Answer


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was sent."""

    url: str
    message_id: str
    body: bytes
    secrets: SigningSecrets = SHARED


class MemoryMessageSender:
    """Implements `MessageSender`. Answers as it is told, and then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Sent] = []
        self._answers: Iterator[Answer] = iter(answers)

    def refusal(self, url: str) -> str | None:
        """Every URL is accepted, since nothing is sent."""
        return None

    async def send(
        self, url: str, message_id: str, body: bytes, *, now: datetime, secrets: SigningSecrets = SHARED
    ) -> Answer:
        """Keep it."""
        self.sent.append(Sent(url, message_id, body, secrets))
        return next(self._answers, Answer(204))

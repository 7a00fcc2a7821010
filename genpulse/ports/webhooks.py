"""The ports of webhook deliveries: where they are kept, and what sends them."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.failing_receiver import FailingReceiver
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Answer, Delivery, Unreadable

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class DeliveryStore(Protocol):
    """Messages about tasks. Each is written in the commit of which it tells, by the store of tasks.

    Moments are the store's own: callers say how long, never when. All raise `DatabaseUnavailable`.
    """

    async def due(
        self, limit: int, held_s: float, *, per_origin: int, room: Mapping[str, int]
    ) -> tuple[tuple[Delivery, Task | Unreadable], ...]:
        """Take at most `limit` that are due, so that nobody else sends them for `held_s` seconds.

        No more than `room` says of an origin, which may be 0, and `per_origin` of those that it does not name:
        first one of each origin, then a second one. With each comes the task as it was then. None is taken
        before the one that it follows was tried.
        """

    async def taken(self, delivery_id: UUID, answer: Answer) -> None:
        """It was received."""

    async def not_taken(self, delivery_id: UUID, answer: Answer, again_in_s: float | None) -> datetime | None:
        """It was not received; returns when it is sent again, None when it is given up.

        That is in `again_in_s` seconds, but not later than its `given_until`; a try after that was the last one,
        and so is any when `again_in_s` is None. One that was received in the meantime stays so.
        """

    async def leave(self, delivery_id: UUID, again_in_s: float, why: str) -> None:
        """It cannot be sent here: somebody looks at it again in `again_in_s` seconds, and `why` is shown.

        No try is counted. One whose `given_until` is over is given up.
        """

    async def put_off(self, origin: str, again_in_s: float, why: str) -> int:
        """An origin is silent: all messages to it that are due wait for `again_in_s` seconds; returns how many.

        No try is counted. Those whose `given_until` is over are given up because of `why`. At most 10,000 a call.
        """

    async def backlog(self) -> Backlog:
        """The messages that will be sent, once or again."""

    async def of_task(self, task_id: UUID) -> tuple[Delivery, ...]:
        """All about one task, oldest first."""

    async def again(self, task_id: UUID, delivery_id: UUID) -> Delivery:
        """Send it soon and for a whole day, also one that was received. Raises `UnknownDelivery`."""

    async def failing(self, limit: int) -> tuple[FailingReceiver, ...]:
        """Receivers that do not take messages about ends, by their origins in order, at most `limit`."""

    async def failing_at(self, origin: str, limit: int) -> tuple[Delivery, ...]:
        """Such messages to an origin, that were sent and not received, newest first, at most `limit`."""

    async def send_again(self, origin: str, limit: int) -> int:
        """Send those again that were given up, the oldest first, at most `limit`; returns how many there were."""


class MessageSender(Protocol):
    """Sends a signed message to another system."""

    def refusal(self, url: str) -> str | None:
        """Why nothing is ever sent to this URL, as far as the URL alone tells; None where it may be."""

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
        """Send it once, signed by these. Answers within 30 seconds and never raises; `now` is signed, too.

        `headers` are added. Without `secrets` they stand in place of those that Standard Webhooks describes.
        """

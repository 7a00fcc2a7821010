"""Telling whoever asked for a task that it has ended, until they take the message."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

from genpulse.domain.delivery import Delivery, next_try
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.json_value import JsonObject
from genpulse.domain.task import Task
from genpulse.ports import Services

BATCH = 50
HELD_S = 60.0
"""Seconds in which a message is sent or another worker sends it: more than a sender may take."""

Describe = Callable[[Task], Awaitable[JsonObject]]
"""A task as the API shows it. Raises `DatabaseUnavailable`."""

_log = logging.getLogger(__name__)


async def deliver(services: Services, describe: Describe) -> int:
    """Send what is due, all at once; returns how much that was, at most 50. Raises `DatabaseUnavailable`."""
    due = await services.deliveries.due(services.now(), BATCH, HELD_S)
    async with asyncio.TaskGroup() as group:
        for delivery, task in due:
            group.create_task(_deliver(services, describe, delivery, task))
    return len(due)


async def _deliver(services: Services, describe: Describe, delivery: Delivery, task: Task) -> None:
    try:
        body = _body(delivery, await describe(task))
        answer = await services.sender.send(delivery.url, delivery.message_id, body, now=services.now())
        now = services.now()
        if answer.is_taken:
            await services.deliveries.taken(delivery.id, answer, now)
            return
        again = next_try(delivery, answer, now=now, random=services.random())
        await services.deliveries.not_taken(delivery.id, answer, again)
    except DatabaseUnavailable as error:
        _log.warning("message %s may have been sent, and will be again: %s", delivery.message_id, error)
        return
    if again is None:
        _log.warning(
            "message %s about task %s is given up after %d tries: %s",
            delivery.message_id,
            task.id,
            delivery.tries + 1,
            answer.error,
        )


def _body(delivery: Delivery, task: JsonObject) -> bytes:
    message = {"type": delivery.type, "timestamp": delivery.created_at.isoformat(), "data": task}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()

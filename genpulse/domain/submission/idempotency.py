"""Idempotency keys: which new tasks are the same request, and the answer to a repeated one."""

from typing import TypeAlias
from uuid import UUID

from genpulse.domain.errors import IdempotencyKeyReuse
from genpulse.domain.task import NewTask, Submitted, Task

RequestId: TypeAlias = UUID | tuple[str, str]
"""Owner and idempotency key of a new task; its id where it has no key."""


def request_of(task: NewTask) -> RequestId:
    """The request that a new task was made for: two tasks of one request are never both written."""
    return task.id if task.idempotency_key is None else (task.owner, task.idempotency_key)


def check_same_order(task: NewTask, fingerprint: str) -> None:
    """Raises `IdempotencyKeyReuse` where the new task is made from an order with another fingerprint."""
    if fingerprint != task.fingerprint:
        raise IdempotencyKeyReuse(task.idempotency_key or "")


def replay(task: NewTask, fingerprint: str, earlier: Task) -> Submitted:
    """The answer to a new task whose request is known: the earlier task, which was written with this fingerprint.

    Raises `IdempotencyKeyReuse`.
    """
    check_same_order(task, fingerprint)
    return Submitted(earlier, replayed=True)

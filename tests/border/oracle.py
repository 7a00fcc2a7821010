"""What may come of odd answers, judged by the vendor's side alone.

None of this asks the product what an answer means: it is written down here a second time, from the vendors' facts.
"""

from collections.abc import Iterable, Sequence

from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.testing import Body, Oddity, Phase
from genpulse.testing.server import Ordered

_OPEN_4XX = frozenset({408, 409, 423, 425})
"""Request timeout, conflict, locked, too early: each may be said by who has passed the order on.

429 is none of them: all vendors here document it as said before anything is queued.
"""
_CAN_FIND = frozenset({"comfyui"})
_COSTS_NOTHING = frozenset({"comfyui"})
"""A server of one's own takes no money: what it says itself about a job that ended is free of charge."""
_MOST_ORDERS = 5


def is_proved(adapter: str, order: Ordered) -> bool:
    """Whether the vendor's answer, or a look-up where there is one, proves that nothing was taken."""
    if order.status is not None and 400 <= order.status < 500 and order.status not in _OPEN_4XX:
        return True
    return adapter in _CAN_FIND and not order.taken


def broken(adapter: str, orders: Sequence[Ordered], oddities: Iterable[Oddity], task: Task) -> list[str]:
    """Which promises do not hold for a task of this adapter that has met all this."""
    wrong = [] if task.status.ended else [f"it has not ended, and is {task.status.value}"]
    if task.error is not None and task.error.code is FailureCode.INTERNAL:
        wrong.append(f"a mistake of ours: {task.error.message}")
    if _is_ordered_twice(adapter, orders, oddities):
        wrong.append(f"ordered again though nothing was proved: {list(orders)}")
    if _is_called_free(adapter, orders, task) and not _forgets(adapter, oddities):
        wrong.append(f"called free of charge: {task.error}, {list(orders)}")
    if task.status is TaskStatus.SUCCEEDED and not any(order.taken for order in orders):
        wrong.append(f"it succeeded, and nothing was taken: {list(orders)}")
    return wrong


def _is_ordered_twice(adapter: str, orders: Sequence[Ordered], oddities: Iterable[Oddity]) -> bool:
    if _forgets(adapter, oddities):
        return len(orders) > _MOST_ORDERS
    return not all(is_proved(adapter, order) for order in orders[:-1])


def _is_called_free(adapter: str, orders: Sequence[Ordered], task: Task) -> bool:
    if task.error is None or task.error.charged is not Charged.NO:
        return False
    if adapter in _COSTS_NOTHING and task.error.code is not FailureCode.UNKNOWN_OUTCOME:
        return False
    return not all(is_proved(adapter, order) for order in orders)


def _forgets(adapter: str, oddities: Iterable[Oddity]) -> bool:
    """ComfyUI with an empty history: the prompt is gone with a server that was started anew, and cost nothing."""
    if adapter != "comfyui":
        return False
    return any(one.phase in {Phase.POLL, Phase.COLLECT} and one.answer.body is Body.OBJECT for one in oddities)

"""Submitting several tasks together: all of them or none, and none twice."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.errors import BadInput, IdempotencyKeyReuse, Problem, Refused, TaskDeleted
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.submission.order import Order
from genpulse.domain.task import NewTask, Submitted
from genpulse.domain.task_batch import EarlierBatch, NewBatch, SubmittedBatch
from genpulse.lifecycle.budgets.check import limits_for
from genpulse.lifecycle.submission.order_checks import ERRORS_OF_THE_MOMENT, Candidate, check_tasks
from genpulse.lifecycle.submission.submit import new_task
from genpulse.ports import Services


@dataclass(frozen=True, slots=True)
class OrderKeys:
    """The idempotency keys of a batch: one for the `whole`, or one for `each` order, None for those without."""

    whole: str | None = None
    each: Sequence[str | None] = ()


NO_KEYS = OrderKeys()


async def submit_batch(
    services: Services, orders: Sequence[Order], *, keys: OrderKeys = NO_KEYS, caller: Caller = WITHOUT_KEY
) -> SubmittedBatch:
    """Queue several tasks, all or none. Of those whose keys are known the earlier tasks are returned.

    Raises as `submit`, with pointers that begin with `/tasks/<index>`.
    """
    submission = _submission(services, orders, keys, caller)
    while True:
        earlier = await submission.known()
        if isinstance(earlier, EarlierBatch):
            return SubmittedBatch(earlier.id, earlier.tasks)
        try:
            return await submission.write(earlier)
        except ERRORS_OF_THE_MOMENT:
            again = await submission.known()
            if not isinstance(again, EarlierBatch) and len(again) <= len(earlier):
                raise


async def check_batch(services: Services, orders: Sequence[Order], *, caller: Caller = WITHOUT_KEY) -> None:
    """Make the checks of a batch, and queue nothing. Raises as `submit_batch`, without those of the commit."""
    await check_tasks(services, caller, _submission(services, orders, NO_KEYS, caller).tasks)


def _submission(services: Services, orders: Sequence[Order], keys: OrderKeys, caller: Caller) -> "_PendingBatch":
    """Raises the errors of the checks of orders, and `BadInput` where a key comes twice."""
    order_keys = list(keys.each) or [None] * len(orders)
    _refuse_doubled(order_keys)
    # In the order of their ids the tasks of a batch are told again.
    batch_id, *ids = sorted(services.new_id() for _ in range(len(orders) + 1))
    candidates = [Candidate(order, caller, f"/tasks/{index}") for index, order in enumerate(orders)]
    reader = _Reader(services, batch_id)
    for candidate, key, task_id in zip(candidates, order_keys, ids, strict=True):
        reader.read(candidate, key, task_id)
    reader.refuse_misfits()
    fingerprint = _fingerprint(orders) if keys.whole else ""
    batch = NewBatch(batch_id, services.environment.name, caller.owner, keys.whole, fingerprint)
    return _PendingBatch(services, caller, batch, reader.tasks)


class _Reader:
    """Makes a task of each order, and notes what does not fit, so that all of it is named at once."""

    def __init__(self, services: Services, batch_id: UUID) -> None:
        self._services = services
        self._batch_id = batch_id
        self._misfits: list[BadInput] = []
        self.tasks: dict[str, NewTask] = {}

    def read(self, candidate: Candidate, key: str | None, task_id: UUID) -> None:
        """Raises the errors of the checks of orders; for an input that does not fit, once all are read."""
        try:
            self.tasks[candidate.place] = new_task(
                self._services, candidate, key, task_id=task_id, batch_id=self._batch_id
            )
        except Refused as error:
            if type(error) is BadInput:
                self._misfits.append(error)
                return
            self.refuse_misfits()
            raise

    def refuse_misfits(self) -> None:
        """Raises `BadInput` with the places in all orders."""
        if len(self._misfits) == 1:
            raise self._misfits[0]
        if self._misfits:
            problems = [problem for error in self._misfits for problem in error.problems]
            raise BadInput(f"{len(self._misfits)} orders of the batch do not fit.", problems)


def _refuse_doubled(keys: Sequence[str | None]) -> None:
    firsts: dict[str, int] = {}
    problems = []
    for index, key in enumerate(keys):
        if key is not None and firsts.setdefault(key, index) != index:
            detail = f"the same key as /tasks/{firsts[key]}/idempotency_key: give each order its own"
            problems.append(Problem(f"/tasks/{index}/idempotency_key", detail))
    if problems:
        raise BadInput("Two orders of the batch have the same idempotency key.", problems)


def _fingerprint(orders: Sequence[Order]) -> str:
    return hashlib.sha256("\n".join(order.fingerprint() for order in orders).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _PendingBatch:
    """A batch on its way: its tasks by the places of their orders."""

    services: Services
    caller: Caller
    batch: NewBatch
    tasks: Mapping[str, NewTask]

    async def known(self) -> EarlierBatch | Mapping[str, Submitted]:
        """The whole batch where that is known, else its known tasks.

        Raises `IdempotencyKeyReuse`, `TaskDeleted`.
        """
        if self.batch.idempotency_key is not None:
            return await self._known_whole(self.batch.idempotency_key) or {}
        try:
            earlier = await self.services.store.known(list(self.tasks.values()))
        except (IdempotencyKeyReuse, TaskDeleted) as error:
            raise self._placed(error) from error
        return {place: task for place, task in zip(self.tasks, earlier, strict=True) if task is not None}

    async def _known_whole(self, key: str) -> EarlierBatch | None:
        """Never a part: what is left would not stand in the order of the orders. Raises `TaskDeleted`."""
        earlier = await self.services.store.earlier_batch(self.batch)
        if earlier and len(earlier.tasks) < len(self.tasks):
            raise TaskDeleted(key, batch_id=earlier.id)
        return earlier

    async def write(self, earlier: Mapping[str, Submitted]) -> SubmittedBatch:
        """Queue what is not known. Raises as `earlier`, and the errors of the checks of tasks."""
        new = {place: task for place, task in self.tasks.items() if place not in earlier}
        await check_tasks(self.services, self.caller, new)
        limits = limits_for(self.services, self.caller)
        try:
            with self.services.tracing.submission(list(new.values())) as traced:
                written = await self.services.store.submit_batch(traced, limits, self.batch)
                self.services.tracing.submitted(written)
        except (IdempotencyKeyReuse, TaskDeleted) as error:
            raise self._placed(error) from error
        if len(written) != len(new):
            raise TaskDeleted(self.batch.idempotency_key or "")
        found = {**earlier, **dict(zip(new, written, strict=True))}
        return self._answer([found[place] for place in self.tasks])

    def _answer(self, tasks: Sequence[Submitted]) -> SubmittedBatch:
        new = [task for task in tasks if not task.replayed]
        batches = {task.task.batch_id for task in new or tasks}
        return SubmittedBatch(batches.pop() if len(batches) == 1 else None, tuple(tasks))

    def _placed(self, error: IdempotencyKeyReuse | TaskDeleted) -> Refused:
        """The same with the place of its order, unless the key is the whole batch's."""
        places = (place for place, task in self.tasks.items() if task.idempotency_key == error.key)
        return type(error)(error.key, next(places, ""))

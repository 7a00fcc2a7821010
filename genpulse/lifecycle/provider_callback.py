"""Vendors' callbacks about jobs."""

from hmac import compare_digest
from uuid import UUID

from genpulse.domain.attempt import Attempt, reference_of
from genpulse.domain.errors import CallbackRefused, UnknownCallback, UnknownModel, UnknownTask
from genpulse.domain.task import OpenOrder, Task, TaskStatus
from genpulse.ports import Services
from genpulse.provider import Callback, TwoPhase

_ID_LENGTH = 32


def callback_url(callback_base_url: str | None, task: Task, attempt: Attempt) -> str | None:
    """The address for the vendor's callbacks about the job of this attempt. Nobody else can guess it."""
    if callback_base_url is None:
        return None
    return f"{callback_base_url.rstrip('/')}/hooks/{task.provider}/{task.id.hex}{attempt.id.hex}"


async def receive_callback(services: Services, provider: str, token: str, callback: Callback) -> None:
    """Let whoever runs the task ask the vendor at once, if the callback is the vendor's own.

    What it says is not looked at: the answer to that question counts. The address has to be that of the order that
    is open. Where none is open any more there is nothing to ask about, and that is no error, since vendors call
    back more than once. Raises `UnknownCallback`, `CallbackRefused`, `DatabaseUnavailable`.
    """
    task = await _task(services, provider, token)
    if task.order is None or task.provider != provider:
        return
    try:
        engine = services.catalogue.model(task.model).engine
    except UnknownModel as error:
        raise UnknownCallback from error
    if not isinstance(engine, TwoPhase):
        raise UnknownCallback
    if not await engine.is_authentic(callback):
        raise CallbackRefused(provider)
    if task.status is TaskStatus.RUNNING:
        await services.queue.announce_change(task.id)


async def _task(services: Services, provider: str, token: str) -> Task:
    try:
        task_id, attempt_id = UUID(token[:_ID_LENGTH]), UUID(token[_ID_LENGTH:])
        task = await services.store.get(task_id)
    except (ValueError, UnknownTask) as error:
        raise UnknownCallback from error
    if task.provider != provider and _has_left(task, provider):
        return task
    if task.provider != provider or not task.attempt or not _may_be_of(task.order, attempt_id):
        raise UnknownCallback
    return task


def _has_left(task: Task, provider: str) -> bool:
    """Whether the task has been at this vendor on its route: nothing is open there any more."""
    return any(hop.model.partition("/")[0] == provider for hop in task.route.hops) if task.route else False


def _may_be_of(order: OpenOrder | None, attempt_id: UUID) -> bool:
    """Whether it was this attempt that made the order. Of those that are closed nothing is known here."""
    return order is None or compare_digest(order.reference.encode(), reference_of(attempt_id).encode())

"""Preparing an attempt: input files, budget, callback URL."""

from contextlib import AsyncExitStack
from typing import Any

from genpulse.domain.attempt import Begun
from genpulse.domain.errors import BadInput, InvalidInput, ProviderRejected, UnknownModel
from genpulse.lifecycle.attempt.input_files import TaskAttachments
from genpulse.lifecycle.attempt.interruption import Signal
from genpulse.lifecycle.attempt.progress import ProgressReport
from genpulse.lifecycle.attempt.work import Money, Permit, Work
from genpulse.lifecycle.provider_callback import callback_url
from genpulse.ports import Services
from genpulse.provider import AnyModel, Call


def work_of(
    services: Services,
    begun: Begun,
    report: ProgressReport,
    signal: Signal,
    files: AsyncExitStack,
    money: Money,
    permit: Permit,
    began_at: float,
) -> Work:
    """The attempt as its engine sees it.

    Raises `ProviderRejected` where the model is gone, `InvalidInput` where it does not take the input any more.
    """
    task, attempt = begun.task, begun.attempt
    model = _model(services, task.model)
    call: Call[Any] = Call(
        model=model.name,
        kind=task.kind,
        input=_input(model, begun),
        task_id=task.id,
        client_reference=attempt.client_reference,
        attempt=attempt.number,
        callback_url=callback_url(services.hooks_url, task, attempt),
        attachments=TaskAttachments(services, task, files),
        threads=services.threads,
    )
    return Work(services, begun, model, call, report, signal, files, money, permit, began_at)


def _model(services: Services, model_id: str) -> AnyModel:
    try:
        return services.catalogue.model(model_id)
    except UnknownModel as error:
        raise ProviderRejected(f"This worker no longer has the model {model_id!r}.") from error


def _input(model: AnyModel, begun: Begun) -> Any:
    try:
        return model.parse(begun.task.input)
    except BadInput as error:
        details = "; ".join(f"{problem.pointer}: {problem.detail}" for problem in error.problems)
        raise InvalidInput(f"The input no longer fits the model: {details}") from error

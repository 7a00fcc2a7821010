"""Asking a vendor for what may cost money: once, and never again without knowing what became of it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from genpulse.domain.errors import GenPulseError, ProviderError, UnknownOutcome
from genpulse.domain.failure import Charged
from genpulse.domain.task import OpenOrder
from genpulse.lifecycle.attempt.interruption import Signal

T = TypeVar("T")


async def ask_once(signal: Signal, request: Callable[[], Awaitable[T]], answer_s: float, *, is_free: bool) -> T:
    """The answer to a request that may cost money: what is not a plain refusal leaves its outcome unknown.

    An answer is waited for `answer_s` seconds; what is raised after that is no refusal. An error that would be
    tried again is one only where it cost nothing, as with a provider that `is_free`. `signal` is that of the run.
    """
    try:
        return await signal.wait_for(request, answer_s)
    except ProviderError as error:
        if error.retryable and error.charged is not Charged.NO and not is_free:
            raise _lost_answer(error) from error
        raise
    except GenPulseError:
        raise
    except Exception as error:
        raise _lost_answer(error) from error


def _lost_answer(error: Exception) -> UnknownOutcome:
    return UnknownOutcome(
        f"The provider was asked and its answer got lost ({type(error).__name__}: {error})."
        " Look into the provider's own list of jobs before this task is run again."
    )


def order_without_answer(order: OpenOrder | None) -> UnknownOutcome:
    """The end of a task that an earlier attempt has ordered something for, and was cut off before the answer."""
    if order is not None and not order.can_be_looked_up:
        return UnknownOutcome(
            "The database was restored from a backup, and nobody knows whether this task was ordered between the"
            " two. Look into the provider's own list of jobs before a retry."
        )
    when = f" at {order.sent_at:%Y-%m-%d %H:%M:%S} UTC under {order.reference}" if order else ""
    return UnknownOutcome(
        f"A worker was lost after it had begun to ask the provider{when} and before an answer was kept. The"
        " provider cannot be asked about it: look into its own list of jobs before a retry."
    )

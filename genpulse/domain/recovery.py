"""Recovery of a task with an open order: resume, look up, start anew, or unknown."""

from dataclasses import dataclass
from typing import TypeAlias

from genpulse.domain.task import OpenOrder


@dataclass(frozen=True, slots=True)
class StartAnew:
    """Nothing was sent, or doing it twice costs nothing."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The provider's job is known: go on polling it."""

    job_id: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """A job may exist under our reference: ask the provider before anything else."""

    client_reference: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Money may have been spent and nobody can tell: stop here and say so."""


Recovery: TypeAlias = StartAnew | Resume | LookUp | Unknown


def recover(order: OpenOrder | None, *, repeatable: bool, can_find: bool, resubmits: bool = False) -> Recovery:
    """Decide how an attempt begins, from the order that an earlier one has left open.

    `repeatable`: twice does no harm; `can_find`: jobs can be looked up; `resubmits`: the operator would rather pay
    twice than not have the result.
    """
    if order is None:
        return StartAnew()
    if order.job_id is not None:
        return Resume(order.job_id)
    if repeatable:
        return StartAnew()
    if can_find and order.can_be_looked_up:
        return LookUp(order.reference)
    return StartAnew() if resubmits else Unknown()

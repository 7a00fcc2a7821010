"""What to do with a task whose last attempt did not come to an end."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from genpulse.domain.attempt import Attempt


class Shape(Enum):
    """How a model is run: by one call, by a remote job that is polled, or here."""

    IMMEDIATE = auto()
    TWO_PHASE = auto()
    LOCAL = auto()


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


def recover(
    previous: Attempt | None, *, shape: Shape, repeatable: bool, can_find: bool, resubmits: bool = False
) -> Recovery:
    """Decide from the journal.

    `repeatable`: twice does no harm; `can_find`: jobs can be looked up; `resubmits`: the operator would rather pay
    twice than not have the result.
    """
    if previous is None or shape is Shape.LOCAL:
        return StartAnew()
    if previous.job_id is not None:
        return Resume(previous.job_id)
    if previous.submitting_at is None or repeatable:
        return StartAnew()
    if can_find:
        return LookUp(previous.client_reference)
    return StartAnew() if resubmits else Unknown()

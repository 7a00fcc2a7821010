"""All that the author of a provider imports.

A provider is a name and a list of models. A model has a kind, an input (a pydantic model, so that it has a
JSON Schema) and an engine. An engine has one of three shapes:

- `Local` runs here and reports progress; running it twice costs nothing.
- `Immediate` is one call to a vendor that answers with the output.
- `TwoPhase` submits a job to a vendor, polls it, collects its output, and may cancel it.

A provider is found through the entry-point group `genpulse.providers`, whose entries are functions that take
`ProviderSettings` and return a `Provider`. `docs/how-to/write-a-provider.md` starts with one of ten lines.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from genpulse.domain.cost import Cost
from genpulse.domain.errors import (
    AuthenticationFailed,
    BadInput,
    InvalidInput,
    ModerationBlocked,
    OutputUnavailable,
    Problem,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    TaskCanceled,
    TimedOut,
    UnknownOutcome,
)
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.json_value import JsonObject
from genpulse.domain.kind import is_kind

__all__ = [
    "Actor",
    "AuthenticationFailed",
    "Call",
    "Charged",
    "Cost",
    "Engine",
    "Failure",
    "FailureCode",
    "Immediate",
    "Input",
    "InvalidInput",
    "Job",
    "Local",
    "Model",
    "ModerationBlocked",
    "Output",
    "OutputUnavailable",
    "PollInterval",
    "Progress",
    "Provider",
    "ProviderError",
    "ProviderRejected",
    "ProviderSettings",
    "ProviderUnavailable",
    "QuotaExhausted",
    "RateLimited",
    "Report",
    "Result",
    "Submission",
    "TaskCanceled",
    "TimedOut",
    "TwoPhase",
    "UnknownOutcome",
]


class Input(BaseModel):
    """Base of a model's input: unknown fields are refused, so that a typing error is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


I = TypeVar("I", bound=BaseModel)  # noqa: E741 - the input of a model


@dataclass(frozen=True, slots=True)
class Call(Generic[I]):
    """What a caller wants from a model.

    `client_reference` is unique for the attempt: send it along where the vendor takes one, so that a job
    whose answer got lost can be found again. `attempt` counts from 1.
    """

    model: str
    kind: str
    input: I
    task_id: UUID
    client_reference: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Output:
    """One file that a model made: its bytes, a file on disk, or a stream of chunks."""

    content: bytes | Path | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that one call made, and what it cost where that is known."""

    outputs: tuple[Output, ...] = ()
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come.

    `fraction` is between 0.0 and 1.0, None when the vendor does not say. `done` when the output can be
    collected; `failed` when the vendor says that the job has failed, and why. `wait_s` is when to ask again,
    in seconds, where the vendor says so.
    """

    fraction: float | None = None
    message: str | None = None
    done: bool = False
    failed: ProviderError | None = None
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """The vendor has taken the job under this id."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Job(Generic[I]):
    """A job at the vendor, and the call that it came from."""

    id: str
    call: Call[I]


@dataclass(frozen=True, slots=True)
class PollInterval:
    """Seconds between two polls: `first_s`, then `factor` times longer each time, up to `longest_s`."""

    first_s: float = 1.0
    factor: float = 1.5
    longest_s: float = 10.0

    def after(self, polls: int) -> float:
        """Seconds to wait when so many polls were made."""
        return min(self.first_s * self.factor ** min(polls, 64), self.longest_s)


class Report(Protocol):
    """Tells how far the work has come. May be called from any thread, as often as one likes.

    Raises `TaskCanceled` when the caller no longer wants the result: let it pass through.
    """

    def __call__(self, fraction: float, message: str | None = None) -> None:
        """Say that `fraction` (0.0 to 1.0) is done."""


class Local(ABC, Generic[I]):
    """An engine that runs inside the worker. Keep the event loop free: use threads for heavy work."""

    @abstractmethod
    async def run(self, call: Call[I], report: Report) -> Result:
        """Do the work. Raises a `ProviderError`, or `TaskCanceled` when told to stop."""


class Immediate(ABC, Generic[I]):
    """An engine whose vendor answers one request with the output.

    `repeatable`: the same request sent twice is charged once at most. Where that is not so, a request whose
    answer got lost is never sent again by itself. An answer that takes longer than `answer_s` seconds is lost.
    """

    repeatable: ClassVar[bool] = False
    answer_s: ClassVar[float] = 900.0

    @abstractmethod
    async def generate(self, call: Call[I]) -> Result:
        """Send the request once, without retries. Raises a `ProviderError`."""


class TwoPhase(ABC, Generic[I]):
    """An engine whose vendor takes a job, works on it, and is asked for it later.

    Set `can_cancel` or `can_find` where the vendor has the call and the method is overridden. A submit or a poll
    that is not answered within `answer_s` seconds counts as not answered, and so does a collect after `collect_s`.
    A job that has not ended after `longest_s` seconds is given up.
    """

    repeatable: ClassVar[bool] = False
    can_cancel: ClassVar[bool] = False
    can_find: ClassVar[bool] = False
    poll_interval: ClassVar[PollInterval] = PollInterval()
    answer_s: ClassVar[float] = 120.0
    collect_s: ClassVar[float] = 3600.0
    longest_s: ClassVar[float] = 86_400.0

    @abstractmethod
    async def submit(self, call: Call[I]) -> Submission:
        """Hand the job to the vendor: one request, without retries.

        Raises a `ProviderError` only when the vendor definitely did not take the job, and `UnknownOutcome`,
        or anything else, when the answer got lost.
        """

    @abstractmethod
    async def poll(self, job: Job[I]) -> Progress:
        """Ask how far it has come.

        A job that has failed is `Progress(failed=…)`. Raises a `ProviderError` when the vendor could not be
        asked: after a retryable one it is asked again, and the job is never submitted a second time for it.
        """

    @abstractmethod
    async def collect(self, job: Job[I]) -> Result:
        """Fetch what a finished job made. May be called again after a retryable `ProviderError`."""

    async def cancel(self, job: Job[I]) -> None:
        """Ask the vendor to stop the job. Called only where `can_cancel` is set."""

    async def find(self, call: Call[I]) -> Submission | None:
        """Look a job up by `call.client_reference`; None when the vendor never took it.

        Called only where `can_find` is set.
        """
        raise NotImplementedError(f"{type(self).__name__} sets can_find and must override find()")


Engine: TypeAlias = Local[I] | Immediate[I] | TwoPhase[I]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class Model(Generic[I]):
    """One thing that a provider can do.

    `name` is unique within the provider; the model's public id is `provider/name`. With several `kinds` the
    caller must say which one is meant. `price` is what one call with this input costs at most, in US dollars, 0 or
    more; it is asked in the middle of a request, so it computes and does not wait.
    """

    name: str
    kinds: tuple[str, ...]
    input: type[I]
    engine: Engine[I]
    title: str = ""
    description: str = ""
    price: Callable[[I], Decimal] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the model name {self.name!r} is not lower-case letters, digits, '.', '_' or '-'")
        if not self.kinds or not all(is_kind(kind) for kind in self.kinds):
            raise ValueError(f"the model {self.name!r} needs kinds such as 'text-to-image', not {self.kinds!r}")

    def parse(self, document: JsonObject) -> I:
        """The typed input. Raises `BadInput`, whose pointers begin at the input itself (`/width`)."""
        try:
            return self.input.model_validate(document)
        except ValidationError as error:
            problems = tuple(Problem(_pointer(item["loc"]), item["msg"]) for item in error.errors())
            raise BadInput(f"The input does not fit the model {self.name!r}.", problems) from error

    def price_of(self, wanted: I) -> Decimal | None:
        """What one call with this input costs at most, in US dollars; None when nobody knows.

        Raises `ValueError` when the model's own `price` gives something else than a Decimal of 0 or more.
        """
        if self.price is None:
            return None
        price_usd: object = self.price(wanted)
        if not isinstance(price_usd, Decimal) or not price_usd.is_finite() or price_usd < 0:
            raise ValueError(
                f"the model {self.name!r} gives {price_usd!r} as its price; it must be US dollars as a"
                " decimal.Decimal, 0 or more"
            )
        return price_usd


def _pointer(loc: tuple[int | str, ...]) -> str:
    """A JSON Pointer (RFC 6901) to the place where pydantic found a problem."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in loc)


AnyModel: TypeAlias = Model[Any]
"""A model of whatever input. The type of the input is known to the model's own engine alone."""


async def _nothing() -> None:
    """Close nothing."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A name and its models. `close` is awaited once when the process ends.

    `paid`: asking it may cost money, so that an environment has to allow it.
    """

    name: str
    models: tuple[AnyModel, ...]
    close: Callable[[], Awaitable[None]] = _nothing
    title: str = ""
    paid: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"the provider name {self.name!r} is not lower-case letters, digits or '_'")
        names = [model.name for model in self.models]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the provider {self.name!r} has two models named {', '.join(twice)}")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What the operator configured for a provider under `providers.<name>`."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)

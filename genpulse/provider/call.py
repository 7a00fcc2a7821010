"""The call of an engine, and its result."""

from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, ParamSpec, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from genpulse.domain.errors import InvalidInput, ProviderError
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.pricing.reported_usage import ReportedUsage
from genpulse.domain.result.answer import Answer
from genpulse.domain.warning import TaskWarning
from genpulse.provider.threads import EngineThreads, threads_of_this_process


class Input(BaseModel):
    """Base of a model's input: unknown fields are refused, so that a typing error is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


I = TypeVar("I", bound=BaseModel)  # noqa: E741 - the input of a model
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that an input refers to, on the local disk while the call lasts. `size` is in bytes."""

    path: Path
    media_type: str
    size: int


class Attachments(Protocol):
    """Fetches what an input refers to."""

    def keeps(self, reference: str) -> bool:
        """Whether it names a file that this installation keeps: an asset, or the output of a task.

        Whatever else names a file, a vendor can fetch or read by itself.
        """

    async def fetch(self, reference: str) -> Attachment:
        """The file behind any reference that an `AssetRef` takes, for the caller of the task.

        A URL is fetched over https from public addresses alone. Raises `InvalidInput` where there is no such file,
        where its bytes are gone, and where it cannot be fetched.
        """


class NoAttachments:
    """The attachments of calls that refer to none."""

    def keeps(self, reference: str) -> bool:  # noqa: ARG002 - as in `Attachments`
        """Nothing is kept."""
        return False

    async def fetch(self, reference: str) -> Attachment:
        """Raises `InvalidInput`."""
        raise InvalidInput(f"Nothing is known about {reference!r}.")


@dataclass(frozen=True, slots=True)
class Call(Generic[I]):
    """A call of a model, with its input and attachments.

    `client_reference` is unique for the attempt: send it along where the vendor takes one, so that a job
    whose answer got lost can be found again. `attempt` counts from 1. `callback_url` is where the vendor may tell
    that the job has changed, None where vendors cannot reach this installation.
    """

    model: str
    kind: str
    input: I
    task_id: UUID
    client_reference: str
    attempt: int
    callback_url: str | None = None
    attachments: Attachments = field(default_factory=NoAttachments, repr=False)
    threads: EngineThreads = field(default_factory=threads_of_this_process, repr=False)

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a thread for the work of engines, and return or raise what it does.

        For whatever would hold up the event loop: computing, and libraries that wait. Its turn comes when one of
        these threads is free. A canceled task does not stop the function; `report` does, when it is called there.
        """
        return await self.threads.run(function, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Callback:
    """A vendor's request to a call's `callback_url`. Names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes


Notice = Callback
"""The name until version 0.3."""


@dataclass(frozen=True, slots=True)
class Output:
    """One file that a model made: its bytes, a file on disk, or a stream of chunks.

    A file has to stay until the result is stored; one that cannot be read then is missing. A stream whose
    `__aiter__` begins anew each time is read again where it broke off; an iterator, such as a generator, is read
    once. `is_text`: these are words that the model has written in place of a file, or beside one. Where one of
    several outputs cannot be had, give a stream that raises `OutputUnavailable`: the others are kept, and the task
    says that it is missing.
    """

    content: bytes | Path | AsyncIterable[bytes]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that one call made, what it cost where that is known, and what is odd about it.

    Without a `cost`, what the vendor reports in `usage` makes one by the model's stated price. `answer` is what
    the vendor answered as JSON, with an `OutputPlace` wherever one of the outputs stands in it; None where there
    is nothing to tell but the outputs.
    """

    outputs: tuple[Output, ...] = ()
    cost: Cost | None = None
    warnings: tuple[TaskWarning, ...] = ()
    usage: ReportedUsage | None = None
    answer: Answer = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job.

    `fraction` is between 0.0 and 1.0, None when the vendor does not say. `done` when the output can be
    collected; `failed` when the vendor says that the job has failed, and why. `wait_s` is when to ask again,
    in seconds, where the vendor says so; it is asked after a minute at the latest. `odd` is a status word that
    the plug-in does not know: the job counts as going on.
    """

    fraction: float | None = None
    message: str | None = None
    done: bool = False
    failed: ProviderError | None = None
    wait_s: float | None = None
    odd: str | None = None


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
    """Seconds between two polls: `first_s`, then `factor` times longer each time, up to `longest_s`.

    Each is up to a tenth shorter or longer, so that jobs that began together are not asked for together.
    """

    first_s: float = 1.0
    factor: float = 1.5
    longest_s: float = 10.0

    def after(self, polls: int) -> float:
        """Seconds to wait when so many polls were made."""
        return min(self.first_s * self.factor ** min(polls, 64), self.longest_s)


class Report(Protocol):
    """Tells how far the work has come. May be called from any thread, as often as one likes.

    Raises `TaskCanceled` when the caller no longer wants the result, or the attempt is over: let it pass through.
    """

    def __call__(self, fraction: float, message: str | None = None) -> None:
        """Say that `fraction` (0.0 to 1.0) is done."""

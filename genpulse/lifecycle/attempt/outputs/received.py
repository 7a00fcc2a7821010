"""What came of a result: outputs that can be read more than once, and those that are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genpulse.domain.assets.asset import Received
from genpulse.domain.errors import ContentTooLarge, OutputUnavailable
from genpulse.domain.failure import Charged
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.answer import Answer
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.lifecycle.attempt.attempt_run import AttemptRun

Rereadable: TypeAlias = bytes | Path | Received
"""Content that can be read more than once."""


@dataclass(frozen=True, slots=True)
class ReceivedOutput:
    """One output. `index` is its place among what was made, `is_text` that it is words beside a file."""

    content: Rereadable
    index: int = 0
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class MissingOutput:
    """An output that cannot be had, and why."""

    index: int
    why: str

    @property
    def warning(self) -> TaskWarning:
        """The warning that the task shows."""
        return TaskWarning(WarningCode.OUTPUT_MISSING, self.why, self.index)


@dataclass(frozen=True, slots=True)
class ReceivedResult:
    """A result without streams: storing it may take more than one try, and a stream can be read once only."""

    outputs: tuple[ReceivedOutput, ...]
    cost: Cost | None = None
    missing: tuple[MissingOutput, ...] = ()
    warnings: tuple[TaskWarning, ...] = ()
    answer: Answer = None


def check_not_all_missing(run: AttemptRun, outputs: Sequence[object], missing: Sequence[MissingOutput]) -> None:
    """Raises `OutputUnavailable` where outputs are missing and none is left."""
    if missing and not outputs:
        raise OutputUnavailable(_reasons(missing), charged=charge_for_outputs(run))


def charge_for_outputs(run: AttemptRun) -> Charged:
    """Whether money was taken for what was made: what is made here costs none."""
    return Charged.NO if run.is_local else Charged.YES


def output_too_large(run: AttemptRun, error: ContentTooLarge) -> OutputUnavailable:
    """The error for an output that is not kept because of its size."""
    return OutputUnavailable(
        f"What was made is larger than {error.limit_bytes:,} bytes, which is as much as one output may have here"
        " (worker.output_limit_bytes).",
        charged=charge_for_outputs(run),
    )


def _reasons(missing: Sequence[MissingOutput]) -> str:
    if len(missing) == 1:
        return missing[0].why
    each = " ".join(f"{output.index}: {output.warning.message}" for output in missing)
    return f"None of the {len(missing)} outputs can be had. {each}"

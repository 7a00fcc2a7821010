"""Submitting the rows of a file, following them to their ends, and saving what they made."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.file_names import target_of
from genpulse.cli.prompt_file.results import Results, SavedFile
from genpulse.cli.prompt_file.row_orders import RowOrder
from genpulse.cli.prompt_file.rows import BrokenRows, RowProblem
from genpulse_client import ApiRefused, AsyncGenPulse, GenPulseError, Task

MOST_ORDERS = 1000
MOST_BYTES = 700_000
"""Of the orders of one call: an API takes bodies of a mebibyte, unless it is configured otherwise."""
_LEFT_BEHIND_S = 600.0
"""The client gives a connection up long before."""
_PART = re.compile(r"\.[0-9a-f]{8}\.part$")
_AT_ONCE = 4
"""So many rows are fetched at the same time."""


@dataclass(frozen=True, slots=True)
class RowFailure:
    """A row without its files: its task has not succeeded, or `why` they could not be fetched.

    `refusal` is the code of the error with which the API refused to run it again, empty where it was not asked.
    """

    row: RowOrder
    task: Task
    why: str
    refusal: str = ""

    @property
    def is_unfetched(self) -> bool:
        """Whether its files are made, and wait to be fetched."""
        return self.task.status == "succeeded"

    @property
    def can_run_again(self) -> bool:
        """Whether its task may succeed when it runs again."""
        error = self.task.error
        return self.task.status == "failed" and error is not None and error.retryable and not self.refusal


@dataclass(slots=True)
class RunOutcome:
    """What became of all rows. `saved_before` were saved before this run; `not_again` has refusals by tasks."""

    total: int
    saved_before: int = 0
    saved: int = 0
    failures: list[RowFailure] = field(default_factory=list)
    not_again: dict[str, str] = field(default_factory=dict)
    batches: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many rows nothing more is done with."""
        return self.saved_before + self.saved + len(self.failures)


@dataclass(frozen=True, slots=True)
class Run:
    """One run over the rows of a file. `tell` is called after each row; `retries` runs failed ones again."""

    client: AsyncGenPulse
    path: Path
    folder: Path
    results: Results
    tell: Callable[[RunOutcome], None]
    retries: bool = False

    async def all(self, rows: Sequence[RowOrder]) -> RunOutcome:
        """Do it, as far as it is not done. Raises `BrokenRows`, `CommandRefused`, `GenPulseError`."""
        _remove_leftovers(self.folder, rows)
        missing = [row for row in rows if not self.results.has(row)]
        outcome = RunOutcome(len(rows), saved_before=len(rows) - len(missing))
        self.tell(outcome)
        chunks = list(_chunks(missing))
        if len(chunks) > 1:
            for chunk in chunks:
                await self._checked(chunk)
        tasks: dict[str, tuple[RowOrder, Task]] = {}
        for chunk in chunks:
            submitted = await self._submitted(chunk)
            tasks.update({task.id: (row, task) for row, task in zip(chunk, submitted, strict=True)})
        if self.retries:
            await self._run_again(tasks, outcome)
        outcome.batches = _batches(task for _, task in tasks.values())
        try:
            await self._follow(tasks, outcome)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
        return outcome

    async def _checked(self, chunk: Sequence[RowOrder]) -> None:
        with _Placed(self.path, chunk):
            await self.client.check_batch([row.order for row in chunk])

    async def _submitted(self, chunk: Sequence[RowOrder]) -> Sequence[Task]:
        with _Placed(self.path, chunk):
            return await self.client.submit_batch([row.order for row in chunk])

    async def _run_again(self, tasks: dict[str, tuple[RowOrder, Task]], outcome: RunOutcome) -> None:
        """Those of the failed ones that can succeed."""
        for task_id, (row, task) in tasks.items():
            if RowFailure(row, task, "").can_run_again:
                tasks[task_id] = (row, await self._again(task, outcome))

    async def _again(self, task: Task, outcome: RunOutcome) -> Task:
        """The task that runs again, or as it was where the API says no, as it does where it may be paid twice."""
        try:
            return await self.client.retry(task.id)
        except ApiRefused as error:
            outcome.not_again[task.id] = error.code
            return task

    async def _follow(self, tasks: Mapping[str, tuple[RowOrder, Task]], outcome: RunOutcome) -> None:
        """Save each task's outputs as soon as it has ended."""
        open_rows = {task_id: row for task_id, (row, _) in tasks.items()}
        room = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as saving:

            async def end(task: Task) -> None:
                if task.ended and (row := open_rows.pop(task.id, None)):
                    await room.acquire()
                    saving.create_task(self._end(row, task, outcome, room))

            for _, task in tasks.values():
                await end(task)
            for batch_id in _batches(task for _, task in tasks.values() if not task.ended):
                async for task in self._ends(batch_id):
                    await end(task)
            for task_id in list(open_rows):
                await end(await self.client.wait(task_id))

    async def _ends(self, batch_id: str) -> AsyncGenerator[Task, None]:
        async with aclosing(self.client.watch_batch(batch_id)) as events:
            async for event in events:
                if event.task is not None:
                    yield event.task

    async def _end(self, row: RowOrder, task: Task, outcome: RunOutcome, room: asyncio.Semaphore) -> None:
        try:
            if task.status == "succeeded":
                await self._save(row, task, outcome)
            else:
                self.results.failed(row, task)
                why = f"{task.error.code}: {task.error.message}" if task.error else task.status
                refusal = outcome.not_again.get(task.id, "")
                outcome.failures.append(RowFailure(row, task, why, refusal))
        finally:
            room.release()
        self.tell(outcome)

    async def _save(self, row: RowOrder, task: Task, outcome: RunOutcome) -> None:
        """Raises `CommandRefused` where nothing more can be written."""
        files = []
        try:
            for number, asset in enumerate(task.outputs, 1):
                target = target_of(self.folder / row.name, "", asset, number, len(task.outputs))
                target.parent.mkdir(parents=True, exist_ok=True)
                path = await self.client.download(asset, target)
                files.append(SavedFile(str(path.relative_to(self.folder)), asset.size))
        except GenPulseError as error:
            outcome.failures.append(RowFailure(row, task, f"not fetched: {error}"))
            return
        except OSError as error:
            raise CommandRefused(
                f"{self.folder / row.name} could not be written: {error.strerror or error}. Make room, and run the"
                " same command again: what is saved stays, and nothing is paid for twice."
            ) from error
        self.results.saved(row, task, files)
        outcome.saved += 1


class _Placed:
    """Tells refusals of a batch by the lines of its rows."""

    def __init__(self, path: Path, chunk: Sequence[RowOrder]) -> None:
        self._path = path
        self._chunk = chunk

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ApiRefused) and (problems := self._problems(error)):
            raise BrokenRows(self._path, problems) from error

    def _problems(self, error: ApiRefused) -> list[RowProblem]:
        placed = [(place.split("/", 3), what) for place, what in error.problems if place.startswith("/tasks/")]
        return [
            RowProblem(self._chunk[int(parts[2])].line, f"{_field(parts[3:])}{what}")
            for parts, what in placed
            if len(parts) > 2 and parts[2].isdecimal() and int(parts[2]) < len(self._chunk)
        ]


def _field(place: Sequence[str]) -> str:
    """The name of a column, from what stands behind `/tasks/<n>/`."""
    name = "".join(place).removeprefix("input/").replace("~1", "/").replace("~0", "~")
    return f"{name}: " if name else ""


def _remove_leftovers(folder: Path, rows: Sequence[RowOrder]) -> None:
    """Halves of files that a run has left behind which was killed, and nobody has written to since."""
    names = tuple(f".{Path(row.name).name}" for row in rows)
    dead_since_s = time.time() - _LEFT_BEHIND_S
    for path in folder.rglob(".*.part"):
        with contextlib.suppress(OSError):
            if _PART.search(path.name) and path.name.startswith(names) and path.stat().st_mtime < dead_since_s:
                path.unlink()


def _chunks(rows: Sequence[RowOrder]) -> list[list[RowOrder]]:
    chunks: list[list[RowOrder]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row.order.document()).encode()) + len(row.key)
        if not chunks or len(chunks[-1]) >= MOST_ORDERS or size + length > MOST_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(row)
        size += length
    return chunks


def _batches(tasks: Iterable[Task]) -> list[str]:
    """The batches of tasks, each once."""
    found = (task.document.get("batch") for task in tasks)
    return list(dict.fromkeys(batch for batch in found if batch))

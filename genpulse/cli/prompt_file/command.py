"""What `genpulse generate --from` does, and what it says in the end."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.cli.errors import CommandRefused
from genpulse.cli.generate.model_names import model_named
from genpulse.cli.output.destination import destination
from genpulse.cli.output.progress import Bars, CountBar
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.prompt_file.results import Results
from genpulse.cli.prompt_file.row_orders import UsualOrder, models_of, orders_of
from genpulse.cli.prompt_file.rows import SHOWN, Row, rows_of
from genpulse.cli.prompt_file.run import RowFailure, Run, RunOutcome
from genpulse.cli.stack import api_key, api_url
from genpulse_client import ApiRefused, AsyncGenPulse, GenPulseError, Model, RetryLimits

PATIENCE = RetryLimits(busy_s=600.0, unreachable_s=60.0)
"""A run may last for hours, in which an API is started anew."""


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file of prompts, the folder for what they make, and what holds for rows that say nothing else.

    `run` names the run: the same rows under another name are other tasks. `retries` runs failed ones again.
    """

    path: Path
    output: str | None
    usual: UsualOrder
    run: str
    retries: bool

    @property
    def folder(self) -> str:
        """As `destination` takes a folder."""
        return (self.output or self.path.stem).rstrip(os.sep) + os.sep


def generate_all(choice: PromptFile, api: str | None, *, as_json: bool) -> int:
    """The exit code: 0 when the files of every row are there. Raises `CommandRefused`, `GenPulseError`."""
    rows = rows_of(choice.path)
    outcome = asyncio.run(_run(choice, rows, api_url(api)))
    _tell(choice, outcome, as_json=as_json)
    return 1 if outcome.failures else 0


async def _run(choice: PromptFile, rows: Sequence[Row], url: str) -> RunOutcome:
    async with AsyncGenPulse(url, api_key(), retries=PATIENCE) as client:
        models = await _models(client, models_of(rows, choice.usual))
        orders = orders_of(choice.path, rows, models, choice.usual, choice.run)
        with destination(choice.folder, spared="Nothing was submitted.") as where, Bars() as bars:
            folder = where.folder or Path()
            bar = CountBar(bars, choice.path.name)
            results = Results(folder, choice.path.stem)

            def tell(outcome: RunOutcome) -> None:
                bar(outcome.done, outcome.total, _standing(outcome))

            run = Run(client, choice.path, folder, results, tell, retries=choice.retries)
            try:
                return await run.all(orders)
            except (GenPulseError, asyncio.CancelledError):
                say("Run the same command again: what is saved stays, and nothing is paid for twice.", err=True)
                raise


async def _models(client: AsyncGenPulse, names: Sequence[str]) -> Mapping[str, Model]:
    """Those that there are."""
    models = {}
    for name in names:
        try:
            models[name] = await model_named(client, name)
        except CommandRefused:
            continue
        except ApiRefused as error:
            if error.code != "unknown_model":
                raise
    return models


def _standing(outcome: RunOutcome) -> str:
    failed = f", {len(outcome.failures)} failed" if outcome.failures else ""
    return f"{outcome.done} of {outcome.total} rows{failed}"


def _tell(choice: PromptFile, outcome: RunOutcome, *, as_json: bool) -> None:
    failures = sorted(outcome.failures, key=lambda failure: failure.row.line)
    if as_json:
        say_json(
            {
                "rows": outcome.total,
                "saved": outcome.saved_before + outcome.saved,
                "saved_before": outcome.saved_before,
                "batches": outcome.batches,
                "failures": [_document(failure) for failure in failures],
            }
        )
        return
    before = f" ({outcome.saved_before} of them before this run)" if outcome.saved_before else ""
    say(f"{outcome.saved_before + outcome.saved} of {outcome.total} rows are in {choice.folder}{before}.")
    for failure in failures[:SHOWN]:
        say(f"{choice.path}:{failure.row.line}: {failure.why} (task {failure.task.id})", err=True)
    if len(failures) > SHOWN:
        say(f"and {len(failures) - SHOWN} more: {choice.folder}{choice.path.stem}.results.jsonl", err=True)
    for advice in _advice(failures):
        say(advice, err=True)


def _document(failure: RowFailure) -> Mapping[str, object]:
    return {
        "line": failure.row.line,
        "task": failure.task.id,
        "status": failure.task.status,
        "why": failure.why,
        "can_run_again": failure.can_run_again,
    }


def _advice(failures: Sequence[RowFailure]) -> Sequence[str]:
    """What to do about rows that failed."""
    again = sum(failure.can_run_again for failure in failures)
    unfetched = sum(failure.is_unfetched for failure in failures)
    refused = sum(bool(failure.refusal) for failure in failures)
    others = len(failures) - again - unfetched - refused
    advice = []
    if unfetched:
        advice.append(f"Made and not fetched: {unfetched}. The same command again fetches them.")
    if again:
        advice.append(f"May succeed when they run again: {again}. The same command with --retry runs them.")
    if refused:
        codes = ", ".join(sorted({failure.refusal for failure in failures if failure.refusal}))
        advice.append(
            f"Not run again: {refused} ({codes}). genpulse tasks retry TASK says why, and what can be done."
        )
    if others:
        advice.append(f"Would end in the same way: {others}. Change these rows; a changed row is a new task.")
    return advice

"""`genpulse tasks retry`: run a failed task again, or all that match."""

import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from genpulse.cli.client import with_client
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import agreed, say
from genpulse.cli.stack import api_option, json_option
from genpulse.cli.tasks.bulk import act_on_all
from genpulse.cli.tasks.filters import TaskChoice, filter_options
from genpulse.cli.tasks.task_id import task_id_of
from genpulse.cli.tasks.text import print_task
from genpulse_client import ApiRefused, ApiUnreachable, AsyncGenPulse, Task

PAYS_TWICE = "unknown_outcome"
"""The code of tasks of which nobody knows whether they were made, and paid for."""

MAY_BE_CHARGED = "may_be_charged"
"""The code of the refusal of a retry that may pay twice."""


@dataclass(frozen=True, slots=True)
class Which:
    """The failed tasks that are meant; None is any, or all of them."""

    code: Sequence[str]
    provider: Sequence[str]
    limit: int | None
    even_if_charged: bool = False

    @property
    def names_unknown(self) -> bool:
        """Whether those of unknown outcome are meant too."""
        return PAYS_TWICE in self.code or self.even_if_charged


@dataclass(frozen=True, slots=True)
class Chosen:
    """The failed tasks that match: ids, how many were charged or may have been, and how many are left out."""

    ids: tuple[str, ...]
    charged: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Retried:
    """How it went: how many are queued again, were refused for each code, were not tried.

    `words` is what the API said the first time that it refused with a code.
    """

    retried: int
    refused: Mapping[str, int]
    words: Mapping[str, str]
    not_tried: int = 0
    stopped_by: str = ""

    @property
    def is_all(self) -> bool:
        """Nothing was refused, and nothing left."""
        return not self.refused and not self.not_tried


@click.command("retry")
@click.argument("task", required=False)
@click.option("--all", "all_of_them", is_flag=True, help="All failed tasks that match, newest first.")
@filter_options
@click.option("--limit", type=click.IntRange(1), help="With --all: so many at most.")
@click.option("--yes", is_flag=True, help="With filters or --all: do not ask.")
@click.option(
    "--even-if-charged", is_flag=True, help="Order anew what may still run there, or be paid for already."
)
@api_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    task: str | None,
    all_of_them: bool,
    limit: int | None,
    yes: bool,
    even_if_charged: bool,
    api: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run a failed task again, or with filters or --all every one that matches.

    Each is asked of the API as if by hand, so that the budget is kept to. Exit code 1 when any was refused.

    An order whose end is not known is taken up, not made anew, where the provider can be asked about it: where the
    job's id is known, or where it can be found by our reference. Elsewhere ordering it again may pay for it twice:
    that is refused with what may still run there. --even-if-charged orders it anew all the same; with --all
    it does so only where a retry is refused for that.

    Tasks that failed with unknown_outcome are left out of --all unless --code unknown_outcome names them, or
    --even-if-charged is said. With other filters than --code and --provider, all that could not succeed are left
    out: their number and the price are told first.
    """
    choice = TaskChoice(**options)
    which = Which(choice.code, choice.provider, limit, even_if_charged)
    is_bulk = choice != TaskChoice(code=choice.code, provider=choice.provider)
    if (task is None) is not (all_of_them or is_bulk) or (task and (yes or limit or not choice.is_everything)):
        raise click.UsageError("Name one task, or say by options which ones are meant, or use --all.")
    if is_bulk:
        if limit or even_if_charged:
            raise click.UsageError("--limit and --even-if-charged go with --all, --code and --provider alone.")
        ctx.exit(0 if act_on_all("retry", choice, api, yes=yes, as_json=as_json) else 1)
    if task is not None:
        print_task(with_client(api, _again(task, even_if_charged=even_if_charged)), as_json=as_json)
        return
    ctx.exit(0 if _retry_all(which, api, yes=yes, as_json=as_json) else 1)


def _again(task: str, *, even_if_charged: bool) -> Callable[[AsyncGenPulse], Awaitable[Task]]:
    async def retry(client: AsyncGenPulse) -> Task:
        return await client.retry(await task_id_of(client, task), even_if_charged=even_if_charged)

    return retry


def _retry_all(which: Which, api: str | None, *, yes: bool, as_json: bool) -> bool:
    """Whether all went well. Raises `CommandRefused`."""
    selection = with_client(api, lambda client: _choose(client, which))
    if selection.left_out:
        say(
            f"{selection.left_out:,} that failed with {PAYS_TWICE} are left out: running them again may pay for"
            f" them twice. Name them with --code {PAYS_TWICE} once you have looked at the provider's own list.",
            err=True,
        )
    if selection.ids and not yes:
        _confirm(selection, which)
    went = with_client(
        api, lambda client: _retry_each(client, selection.ids, even_if_charged=which.even_if_charged)
    )
    _tell(went, selection, as_json=as_json)
    return went.is_all


async def _choose(client: AsyncGenPulse, which: Which) -> Chosen:
    ids: list[str] = []
    charged = left_out = 0
    async for task in client.list(status="failed", code=which.code or None, provider=which.provider or None):
        if len(ids) == which.limit:
            break
        error = task.error
        if not which.names_unknown and error and error.code == PAYS_TWICE:
            left_out += 1
            continue
        ids.append(task.id)
        charged += error is None or error.charged != "no"
    return Chosen(tuple(ids), charged, left_out)


def _confirm(selection: Chosen, which: Which) -> None:
    """Let a person say yes. Raises `CommandRefused`."""
    count = f"{len(selection.ids):,} failed tasks"
    what = f"{count}; {selection.charged:,} of them were charged already, or may have been"
    if not sys.stdin.isatty():
        raise CommandRefused(f"Nobody can be asked here about {what}. Run it with --yes. Nothing was retried.")
    say(f"To be run again: {what}.", err=True)
    if which.even_if_charged:
        say("What nobody can be asked about is ordered anew: it may be paid for twice.", err=True)
    elif PAYS_TWICE in which.code:
        say(
            "Those that would be ordered anew, and perhaps paid for twice, are refused without --even-if-charged.",
            err=True,
        )
    if not agreed("Run them again?"):
        raise CommandRefused("Nothing was retried.")


async def _retry_each(client: AsyncGenPulse, ids: Sequence[str], *, even_if_charged: bool = False) -> Retried:
    """One after the other, also after a refusal; it ends early when the API does not answer any more."""
    refused: Counter[str] = Counter()
    words: dict[str, str] = {}
    for number, task_id in enumerate(ids):
        try:
            await _retry_one(client, task_id, even_if_charged=even_if_charged)
        except ApiRefused as refusal:
            refused[refusal.code] += 1
            words.setdefault(refusal.code, str(refusal))
        except ApiUnreachable as error:
            retried = number - refused.total()
            return Retried(retried, refused, words, len(ids) - number, str(error))
    return Retried(len(ids) - refused.total(), refused, words)


async def _retry_one(client: AsyncGenPulse, task_id: str, *, even_if_charged: bool) -> None:
    """What can be taken up is never ordered anew with many others."""
    try:
        await client.retry(task_id)
    except ApiRefused as refusal:
        if refusal.code != MAY_BE_CHARGED or not even_if_charged:
            raise
        await client.retry(task_id, even_if_charged=True)


def _tell(went: Retried, selection: Chosen, *, as_json: bool) -> None:
    refused = sum(went.refused.values())
    if as_json:
        counts = {"retried": went.retried, "refused": refused, "not_tried": went.not_tried}
        say(json.dumps({**counts, "left_out": selection.left_out, "reasons": dict(went.refused)}))
    elif not selection.ids:
        say("No failed task matches.")
    else:
        say(f"{went.retried:,} are queued again, {refused:,} were refused, {went.not_tried:,} not tried.")
        for code, count in Counter(went.refused).most_common():
            say(f"  {count:,} x {code}, such as: {went.words[code]}")
    if went.stopped_by:
        say(f"genpulse: {went.stopped_by}", err=True)

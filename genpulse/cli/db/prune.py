"""`genpulse db prune`: removes what is older than it is to be kept."""

import asyncio
import json
import re
import sys
from dataclasses import asdict, replace
from datetime import timedelta

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import agreed, say
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.domain.retention import Pruned, RetentionPolicy
from genpulse.lifecycle.removal.prune import prune
from genpulse.ports import Services
from genpulse.wiring.database import check_database

_AGE = re.compile(r"(\d{1,6})(d|w)")
_DAYS = {"d": 1, "w": 7}
_MOST_DAYS = 36500


class _Age(click.ParamType[timedelta]):
    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Days or weeks: the tasks of a day explain what it has cost, and so none of a day goes."""
        if isinstance(value, timedelta):
            return value
        match = _AGE.fullmatch(str(value))
        days = int(match[1]) * _DAYS[match[2]] if match else 0
        if not 1 <= days <= _MOST_DAYS:
            self.fail(f"{value!r} is no age such as 30d or 6w, from 1d to {_MOST_DAYS}d", param, ctx)
        return timedelta(days=days)


@click.command("prune")
@click.option("--older-than", type=_Age(), metavar="AGE", help="Days or weeks (30d, 6w). Default: the settings.")
@click.option("--dry-run", is_flag=True, help="Count what would be removed, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, not even in production.")
@json_option
def command(older_than: timedelta | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove what is older than retention.tasks_days and retention.assets_days, as workers do by themselves.

    Ended tasks go with their attempts, messages and idempotency keys; then assets that no kept task made or names;
    then the bytes that no asset has, at the earliest 8 days after they were stored. Tasks that wait or run are
    never touched. In production it counts, and asks, before it removes anything.
    """
    asyncio.run(_prune(settings_for_servers(), older_than, dry_run, yes, as_json))


async def _prune(settings: Settings, age: timedelta | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    from genpulse.wiring.services import open_services  # half a second that `genpulse db upgrade` need not wait

    await check_database(settings)
    async with open_services(settings, process="db") as services:
        policy = services.retention_policy
        if age is not None:
            policy = replace(policy, tasks=age, assets=age)
        if dry_run:
            _tell("Would remove", await _due(services, policy), as_json=as_json)
            return
        if settings.environment.is_production and not yes:
            due = await _due(services, policy)
            if due.is_nothing:
                _tell("Removed", due, as_json=as_json)
                return
            _confirm(due)
        pruned = await prune(services, policy)
    if pruned is None:
        raise CommandRefused("Another process removes what is old at this moment. Nothing was done here.")
    _tell("Removed", pruned, as_json=as_json)


async def _due(services: Services, policy: RetentionPolicy) -> Pruned:
    return await services.retention.due(policy.ages)


def _confirm(due: Pruned) -> None:
    """Let a person say yes. Raises `CommandRefused`."""
    if not sys.stdin.isatty():
        raise CommandRefused(
            f"This is production, and nobody can be asked here: {_words(due)} would go. Run it with --yes, or look"
            " first with --dry-run. Nothing was removed."
        )
    say(f"This is production. To be removed: {_words(due)}.", err=True)
    if not agreed("Remove it?"):
        raise CommandRefused("Nothing was removed.")


def _tell(what: str, pruned: Pruned, *, as_json: bool) -> None:
    say(json.dumps(asdict(pruned)) if as_json else f"{what} {_words(pruned)}.")


def _words(pruned: Pruned) -> str:
    if pruned.is_nothing:
        return "nothing: nothing is old enough"
    rows = f"{pruned.tasks:,} tasks, {pruned.attempts:,} attempts, {pruned.deliveries:,} messages"
    return f"{rows}, {pruned.assets:,} assets, {pruned.objects:,} stored objects ({pruned.bytes:,} bytes)"

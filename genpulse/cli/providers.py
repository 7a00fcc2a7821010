"""`genpulse providers`: who does it, whether it may, and whether its account works."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from genpulse import config
from genpulse.cli.client import AT_A_TERMINAL
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.account_hold import failing, held_back
from genpulse.cli.output.left_out import say_left_out
from genpulse.cli.output.table import Cell, Column, Table, show_table
from genpulse.cli.output.terminal import agreed, say, say_json
from genpulse.cli.stack import api_key, api_option, api_url, json_option
from genpulse.domain.errors import UnknownProvider
from genpulse.domain.text.storable import showable_line
from genpulse.wiring.catalogue import learn_provider, open_catalogue, probe_provider
from genpulse_client import ApiUnreachable, AsyncGenPulse

Documents = list[Mapping[str, Any]]
_COLOURS = {"closed": "green", "half_open": "yellow", "open": "red"}


@click.group("providers", invoke_without_command=True)
@api_option
@json_option
@click.pass_context
def command(ctx: click.Context, api: str | None, as_json: bool) -> None:
    """Who does it, whether it may, its limits, and whether its account works, or why it is left alone.

    Asks the API, or looks at the installed providers when none answers.
    """
    if ctx.invoked_subcommand is not None:
        return
    documents = _states(api)
    if as_json:
        say_json(documents)
    else:
        _print(documents)


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def test(name: str, yes: bool) -> None:
    """Make the cheapest real call of a provider, with the configuration of this place."""
    settings = config.load(require=())
    known = open_catalogue(settings).providers()
    if name not in known:
        raise UnknownProvider(name, known)
    if not yes and not sys.stdin.isatty():
        raise CommandRefused(f"Nobody can be asked here whether {name} may be called. Run it with --yes.")
    if not yes and not agreed(f"Call {name} with the account that is configured here?"):
        raise CommandRefused("Nothing was called.")
    say(f"{name}: {asyncio.run(probe_provider(settings, name))}")


@command.command()
@click.argument("name")
def learn(name: str) -> None:
    """Ask a provider what its models take, and keep it beside them, so that the catalogue can say it.

    For ComfyUI: types, defaults, ranges and choices of the inputs of the registered workflows.
    """
    say(f"{name}: {asyncio.run(learn_provider(config.load(require=()), name))}")


def _states(api: str | None) -> Documents:
    async def ask() -> Documents:
        async with AsyncGenPulse(api_url(api), api_key(), retries=AT_A_TERMINAL) as genpulse:
            return list(await genpulse.providers())

    try:
        return asyncio.run(ask())
    except ApiUnreachable:
        if api is not None:
            raise
        say("No API answers; these are the providers that are installed here.", err=True)
        return _installed()


def _installed() -> Documents:
    catalogue = open_catalogue(config.load(require=()))
    return [
        {
            "name": name,
            "title": catalogue.title(name),
            "paid": catalogue.is_paid(name),
            "configured": catalogue.is_configured(name),
            "models": [model_id for model_id, _ in catalogue.models() if model_id.startswith(f"{name}/")],
        }
        for name in catalogue.providers()
    ]


def _print(documents: Documents) -> None:
    show_table(_table(documents))
    now = datetime.now(UTC)
    for one in documents:
        if words := _trouble(one.get("circuit") or {}, now):
            line = showable_line(f"{one['name']} {words}")
            say(f"\n{line}")
    say_left_out(documents)


def _trouble(circuit: Mapping[str, Any], now: datetime) -> str:
    """What holds an account back, or what its last tasks met; empty where all is well."""
    if hold := circuit.get("hold"):
        return held_back(_moment(hold["since"]), _moment(hold["until"]), hold["answer"], now)
    return failing(circuit["failures"], circuit["reason"]) if circuit.get("failures") else ""


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _account(circuit: Mapping[str, Any]) -> Cell:
    """How it is in a word; what the provider asked for is no fault."""
    state = str(circuit.get("state", ""))
    if state == "closed" and circuit.get("hold"):
        return Cell("pauses", "yellow")
    return Cell(state, _COLOURS.get(state, ""))


def _table(documents: Documents) -> Table:
    table = Table(
        Column("provider", style="bold"),
        Column("configured", rank=2),
        Column("allowed", rank=3),
        Column("at once", rank=5),
        Column("rate", rank=4),
        Column("account", rank=1),
        Column("models", rank=6, folds=True),
    )
    for one in documents:
        limits, concurrency = one.get("limits") or {}, one.get("concurrency") or {}
        table.add(
            one["name"],
            _word(one.get("configured")),
            _word(one.get("allowed")),
            _at_once(limits.get("concurrency"), concurrency.get("learned")),
            limits.get("rate") or "",
            _account(one.get("circuit") or {}),
            ", ".join(model.partition("/")[2] for model in one["models"]),
        )
    return table


def _at_once(configured: int | None, learned: int | None) -> Cell:
    """What is configured; where the account bears less, how much of it."""
    if learned is None:
        return Cell(str(configured or ""))
    return Cell(f"{learned} of {configured}" if configured else f"{learned} learned", "yellow")


def _word(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"

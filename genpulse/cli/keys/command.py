"""`genpulse keys`: who may call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import click
import uuid_utils.compat

from genpulse.cli.keys import webhook_secret
from genpulse.cli.keys.customer_options import customer_options, with_customers
from genpulse.cli.keys.database import with_keys
from genpulse.cli.keys.option_types import Dollars, Lifted, OrNone, RateType, Span, after
from genpulse.cli.keys.text import key_document, key_table, limits_text, usage_document
from genpulse.cli.output.table import show_table
from genpulse.cli.output.terminal import say, say_json, say_json_line
from genpulse.cli.stack import json_option
from genpulse.configuration.settings import Settings
from genpulse.domain.keys.api_key import HEAVIEST, ApiKey, KeyLimits, KeyUsage, Scope, Token, digest_of
from genpulse.domain.keys.webhook_secret import new_webhook_secret
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority
from genpulse.ports import KeyStore

T = TypeVar("T")
U = TypeVar("U")
_PRIORITIES = click.Choice([priority.word for priority in sorted(Priority)], case_sensitive=False)
_LONGEST_RETENTION = timedelta(days=3650)
_COUNT = click.IntRange(1, 2**31 - 1)
_WEIGHT = click.IntRange(1, HEAVIEST)


@click.group("keys")
def command() -> None:
    """Create, list, change and revoke API keys. Works on the database itself."""


command.add_command(webhook_secret.command)


def _key_name(_ctx: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    """Raises `BadParameter` for a name by which nobody finds the key that leaked."""
    if name is not None and not name.strip():
        raise click.BadParameter("it is empty: say who or what uses the key")
    return name and name.strip()


@command.command()
@click.option("--name", required=True, callback=_key_name, help="Who or what uses it.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    help="What it is good for; may be repeated. Default: tasks:read and tasks:write.",
)
@click.option("--expires-in", type=Span(), help="How long it is good: 12h, 90d, 52w. Default: for ever.")
@click.option("--max-active-tasks", type=_COUNT, help="Tasks that have not ended, at most.")
@click.option("--daily-tasks", type=_COUNT, help="Tasks a day (UTC), at most.")
@click.option("--daily-usd", type=Dollars(), help="US dollars a day (UTC), by prices, at most.")
@click.option("--monthly-usd", type=Dollars(), help="US dollars a calendar month (UTC), by prices, at most.")
@customer_options(lambda kind: kind)
@click.option("--rate", type=RateType(), help="Calls in a time, such as 10/s, at most.")
@click.option("--max-priority", type=_PRIORITIES, help="The highest priority of its tasks. Default: high.")
@click.option(
    "--retain",
    type=Span(allows_none=True),
    help="Delete its tasks so long after their end at the latest: 12h, 7d; 0 at once. Default: as the settings.",
)
@click.option(
    "--weight",
    type=_WEIGHT,
    default=1,
    show_default=True,
    help="So many of its tasks start in its turn, while tasks of other keys wait as well.",
)
@click.option(
    "--webhook-secret",
    "has_webhook_secret",
    is_flag=True,
    help="Sign messages about its tasks with a secret of its own, which is shown once behind the key.",
)
@json_option
def create(
    name: str,
    scopes: tuple[str, ...],
    expires_in: timedelta | None,
    max_active_tasks: int | None,
    daily_tasks: int | None,
    daily_usd: Decimal | None,
    rate: Rate | None,
    max_priority: str | None,
    retain: timedelta | None,
    weight: int,
    has_webhook_secret: bool,
    monthly_usd: Decimal | None,
    as_json: bool,
    **of_customers: Any,
) -> None:
    """Create a key, and show it once."""
    now = datetime.now(UTC)
    key_scopes = frozenset(Scope(word) for word in scopes) or frozenset({Scope.READ, Scope.WRITE})
    limits = KeyLimits(
        max_active_tasks,
        daily_tasks,
        daily_usd,
        rate,
        Priority[max_priority.upper()] if max_priority else None,
        None if retain is None else _seconds(retain),
        weight,
        monthly_usd,
    )
    limits = with_customers(limits, of_customers)
    secret = new_webhook_secret() if has_webhook_secret else None

    async def add(settings: Settings, keys: KeyStore) -> tuple[ApiKey, Token]:
        token = Token.new(settings.environment.api_key_prefix)
        expires_at = now + expires_in if expires_in else None
        key = ApiKey(uuid_utils.compat.uuid7(), name, token.hint, key_scopes, now, limits, expires_at)
        await keys.add(key, digest_of(token.text), secret)
        return key, token

    key, token = with_keys(add)
    if as_json:
        secrets = {"key": token.text} | ({"webhook_secret": secret} if secret else {})
        say_json_line({**key_document(key, now), **secrets})
    else:
        say("\n".join(filter(None, (token.text, secret))))
    say("This is the only time that the key is shown: only its SHA-256 is kept.", err=True)
    if secret:
        say("Nor is the webhook secret in the second line shown again.", err=True)


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All keys with what they have done, by their first letters and never whole."""
    keys, usages = with_keys(lambda _, keys: _used(keys))
    now = datetime.now(UTC)
    if as_json:
        say_json([key_document(key, now) | {"usage": usage_document(usages[key.id])} for key in keys])
        return
    show_table(key_table(keys, usages, now))


async def _used(keys: KeyStore) -> tuple[tuple[ApiKey, ...], Mapping[UUID, KeyUsage]]:
    known = await keys.all()
    return known, await keys.usages([key.id for key in known])


@command.command()
@click.argument("key_id", metavar="ID")
@click.option("--name", callback=_key_name, help="Who or what uses it.")
@click.option("--expires-in", type=OrNone(Span()), help="How long it is good from now: 12h, 90d.")
@click.option("--max-active-tasks", type=OrNone(_COUNT), help="Tasks that have not ended, at most.")
@click.option("--daily-tasks", type=OrNone(_COUNT), help="Tasks a day (UTC), at most.")
@click.option("--daily-usd", type=OrNone(Dollars()), help="US dollars a day (UTC), by prices, at most.")
@click.option("--monthly-usd", type=OrNone(Dollars()), help="US dollars a calendar month (UTC), at most.")
@customer_options(OrNone)
@click.option("--rate", type=OrNone(RateType()), help="Calls in a time, such as 10/s, at most.")
@click.option("--max-priority", type=OrNone(_PRIORITIES), help="The highest priority of its tasks.")
@click.option("--retain", type=OrNone(Span(allows_none=True)), help="Delete its tasks so long after their end.")
@click.option("--weight", type=_WEIGHT, help="So many of its tasks start in its turn. Holds for what waits.")
@json_option
def update(
    key_id: str,
    name: str | None,
    expires_in: timedelta | Lifted | None,
    max_active_tasks: int | Lifted | None,
    daily_tasks: int | Lifted | None,
    daily_usd: Decimal | Lifted | None,
    rate: Rate | Lifted | None,
    max_priority: str | Lifted | None,
    retain: timedelta | Lifted | None,
    weight: int | None,
    monthly_usd: Decimal | Lifted | None,
    as_json: bool,
    **of_customers: Any,
) -> None:
    """Change the key whose id is or begins with ID. `none` lifts a limit, and what is left out stays.

    Every API knows it within 10 seconds. Tasks that are there keep what they were given, but for the weight.
    """
    asked = (
        name,
        expires_in,
        max_active_tasks,
        daily_tasks,
        daily_usd,
        monthly_usd,
        rate,
        max_priority,
        retain,
        weight,
    )
    if all(value is None for value in (*asked, *of_customers.values())):
        raise click.UsageError("Nothing is to be changed: name an option, such as --daily-usd 25.")
    now = datetime.now(UTC)

    def change(key: ApiKey) -> ApiKey:
        held = key.limits
        limits = replace(
            held,
            max_active_tasks=after(max_active_tasks, held.max_active_tasks),
            daily_tasks=after(daily_tasks, held.daily_tasks),
            daily_usd=after(daily_usd, held.daily_usd),
            monthly_usd=after(monthly_usd, held.monthly_usd),
            rate=after(rate, held.rate),
            max_priority=after(_as(max_priority, lambda word: Priority[word.upper()]), held.max_priority),
            retain_s=after(_as(retain, _seconds), held.retain_s),
            weight=weight or held.weight,
        )
        limits = with_customers(limits, of_customers)
        expires_at = after(_as(expires_in, lambda span: now + span), key.expires_at)
        return replace(key, name=name or key.name, limits=limits, expires_at=expires_at)

    key = with_keys(lambda _, keys: keys.change(key_id, change))
    if as_json:
        say_json_line(key_document(key, now))
    else:
        say(f"The key {key.name!r} ({key.id}) is changed. Its limits: {limits_text(key.limits)}.")


def _as(value: T | Lifted | None, convert: Callable[[T], U]) -> U | Lifted | None:
    return value if value is None or isinstance(value, Lifted) else convert(value)


@command.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the key whose id is or begins with ID. Every API refuses it within 10 seconds; its tasks run on."""
    now = datetime.now(UTC)
    key = with_keys(lambda _, keys: keys.revoke(key_id, now))
    say(json.dumps(key_document(key, now)) if as_json else f"The key {key.name!r} ({key.id}) is revoked.")


def _seconds(retain: timedelta) -> int:
    """Raises `UsageError` for more than ten years."""
    if retain > _LONGEST_RETENTION:
        raise click.BadParameter("it is more than 3650d", param_hint="--retain")
    return round(retain.total_seconds())

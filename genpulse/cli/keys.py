"""`genpulse keys`: who may call."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import click
import uuid_utils.compat

from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Cell, Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json, say_json_line
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.domain.api_key import ApiKey, KeyLimits, Scope, Token, digest_of
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority
from genpulse.domain.webhook_secret import new_webhook_secret
from genpulse.ports import KeyStore
from genpulse.wiring.database import open_keys

T = TypeVar("T")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_PRIORITIES = click.Choice([priority.word for priority in sorted(Priority)], case_sensitive=False)
_LONGEST_RETENTION = timedelta(days=3650)
_COUNT = click.IntRange(1, 2**31 - 1)
_COLOURS = {"active": "green", "expired": "yellow", "revoked": "red"}


class Span(click.ParamType[timedelta]):
    """A time such as 90d."""

    name = "span"

    def __init__(self, *, allows_none: bool = False) -> None:
        self._allows_none = allows_none

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse a number of hours, days or weeks."""
        if isinstance(value, timedelta):
            return value
        if self._allows_none and value == "0":
            return timedelta(0)
        match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", str(value))
        if match is None:
            self.fail(f"{value!r} is not a time such as 12h, 90d or 52w", param, ctx)
        return int(match.group(1)) * _UNITS[match.group(2)]


class RateType(click.ParamType[Rate]):
    """A rate such as 10/s."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        """Parse a rate as the configuration writes it."""
        try:
            return Rate.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Dollars(click.ParamType[Decimal]):
    """An amount of US dollars."""

    name = "usd"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Parse a decimal number, 0 or more."""
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is not an amount such as 25 or 0.50", param, ctx)
        return amount


def _with_keys(act: Callable[[Settings, KeyStore], Awaitable[T]]) -> T:
    settings = settings_for_servers(("database_url",))

    async def run() -> T:
        async with open_keys(settings) as keys:
            return await act(settings, keys)

    return asyncio.run(run())


@click.group("keys")
def command() -> None:
    """Create, list and revoke API keys. Works on the database itself."""


def _key_name(_ctx: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Raises `BadParameter` for a name by which nobody finds the key that leaked."""
    if not name.strip():
        raise click.BadParameter("it is empty: say who or what uses the key")
    return name.strip()


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
@click.option("--rate", type=RateType(), help="Calls in a time, such as 10/s, at most.")
@click.option("--max-priority", type=_PRIORITIES, help="The highest priority of its tasks. Default: high.")
@click.option(
    "--retain",
    type=Span(allows_none=True),
    help="Delete its tasks so long after their end at the latest: 12h, 7d; 0 at once. Default: as the settings.",
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
    has_webhook_secret: bool,
    as_json: bool,
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
    )
    secret = new_webhook_secret() if has_webhook_secret else None

    async def add(settings: Settings, keys: KeyStore) -> tuple[ApiKey, Token]:
        token = Token.new(settings.environment.api_key_prefix)
        expires_at = now + expires_in if expires_in else None
        key = ApiKey(uuid_utils.compat.uuid7(), name, token.hint, key_scopes, now, limits, expires_at)
        await keys.add(key, digest_of(token.text), secret)
        return key, token

    key, token = _with_keys(add)
    if as_json:
        secrets = {"key": token.text} | ({"webhook_secret": secret} if secret else {})
        say_json_line({**_document(key, now), **secrets})
    else:
        say("\n".join(filter(None, (token.text, secret))))
    say("This is the only time that the key is shown: only its SHA-256 is kept.", err=True)
    if secret:
        say("Nor is the webhook secret in the second line shown again.", err=True)


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All keys, by their first letters and never whole."""
    keys = _with_keys(lambda _, keys: keys.all())
    now = datetime.now(UTC)
    if as_json:
        say_json([_document(key, now) for key in keys])
        return
    show_table(_table(keys, now))


def _table(keys: Sequence[ApiKey], now: datetime) -> Table:
    table = Table(
        Column("id"),
        Column("name", rank=1, folds=True),
        Column("begins", rank=4),
        Column("scopes", rank=5, folds=True),
        Column("limits", rank=6, folds=True),
        Column("signed by", rank=7),
        Column("last used", rank=3),
        Column("state", rank=2),
    )
    here = now.astimezone()
    for key in keys:
        state = key.state(now).value
        table.add(
            str(key.id),
            key.name,
            f"{key.hint}…",
            ", ".join(sorted(key.scopes)),
            _limits(key.limits),
            "its own" if key.webhook_secret_at else "shared",
            moment_text(key.last_used_at, here) if key.last_used_at else "never",
            Cell(state, _COLOURS[state]),
        )
    return table


@command.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the key whose id is or begins with ID. Every API refuses it within 10 seconds; its tasks run on."""
    now = datetime.now(UTC)
    key = _with_keys(lambda _, keys: keys.revoke(key_id, now))
    say(json.dumps(_document(key, now)) if as_json else f"The key {key.name!r} ({key.id}) is revoked.")


@command.group("webhook-secret")
def webhook_secret() -> None:
    """Secrets that sign messages about the tasks of one key, in place of webhooks.secret."""


_overlap = click.option(
    "--overlap",
    type=Span(allows_none=True),
    default="24h",
    show_default=True,
    help="For how long what signs now still signs beside it: 12h, 7d; 0 ends it at once, for one that leaked.",
)


@webhook_secret.command()
@click.argument("key_id", metavar="ID")
@_overlap
@json_option
def rotate(key_id: str, overlap: timedelta, as_json: bool) -> None:
    """Give the key whose id is or begins with ID a new secret, or its first, and show it once."""
    secret = new_webhook_secret()
    key = _with_keys(lambda _, keys: keys.rotate_webhook_secret(key_id, secret, overlap))
    say(json.dumps({**_document(key, datetime.now(UTC)), "webhook_secret": secret}) if as_json else secret)
    say(
        f"It signs for {key.name!r} within 10 seconds. This is the only time that it is shown. What has signed"
        f" until now {_ends(overlap)}.",
        err=True,
    )


@webhook_secret.command()
@click.argument("key_id", metavar="ID")
@_overlap
@json_option
def remove(key_id: str, overlap: timedelta, as_json: bool) -> None:
    """Let webhooks.secret sign again for the key whose id is or begins with ID."""
    key = _with_keys(lambda _, keys: keys.remove_webhook_secret(key_id, overlap))
    words = f"webhooks.secret signs for the key {key.name!r} ({key.id}) again. Its own {_ends(overlap)}."
    say(json.dumps(_document(key, datetime.now(UTC))) if as_json else words)


@webhook_secret.command()
def reseal() -> None:
    """Seal all of them with the first of webhooks.sealing_keys, so that the others can be taken away."""
    count = _with_keys(lambda _, keys: keys.reseal_webhook_secrets())
    say(f"{count} webhook secrets are sealed with the first of webhooks.sealing_keys.")


def _ends(overlap: timedelta) -> str:
    return (
        f"signs beside it until {datetime.now(UTC) + overlap:%Y-%m-%d %H:%M} UTC" if overlap else "signs no more"
    )


def _limits(limits: KeyLimits) -> str:
    words = {
        f"{limits.max_active_tasks} active": limits.max_active_tasks,
        f"{limits.daily_tasks} a day": limits.daily_tasks,
        f"{limits.daily_usd} USD a day": limits.daily_usd,
        f"{limits.rate} calls": limits.rate,
        f"priority {_priority(limits)} at most": limits.max_priority,
        f"kept for {_span(limits)}": limits.retain_s,
    }
    return ", ".join(text for text, value in words.items() if value is not None) or "none"


def _span(limits: KeyLimits) -> str:
    return str(timedelta(seconds=limits.retain_s or 0))


def _seconds(retain: timedelta) -> int:
    """Raises `UsageError` for more than ten years."""
    if retain > _LONGEST_RETENTION:
        raise click.BadParameter("it is more than 3650d", param_hint="--retain")
    return round(retain.total_seconds())


def _priority(limits: KeyLimits) -> str | None:
    return None if limits.max_priority is None else limits.max_priority.word


def _document(key: ApiKey, now: datetime) -> dict[str, object]:
    limits = key.limits
    moments = {
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "webhook_secret_at": key.webhook_secret_at,
    }
    return {
        "id": str(key.id),
        "name": key.name,
        "hint": key.hint,
        "scopes": sorted(key.scopes),
        "state": key.state(now).value,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
        "limits": {
            "max_active_tasks": limits.max_active_tasks,
            "daily_tasks": limits.daily_tasks,
            "daily_usd": str(limits.daily_usd) if limits.daily_usd is not None else None,
            "rate": str(limits.rate) if limits.rate else None,
            "max_priority": _priority(limits),
            "retain_s": limits.retain_s,
        },
    }

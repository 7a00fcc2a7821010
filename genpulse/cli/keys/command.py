"""`genpulse keys`: who may call."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import click
import uuid_utils.compat

from genpulse.cli.keys import message_key, webhook_secret
from genpulse.cli.keys.database import with_keys
from genpulse.cli.keys.limit_options import limit_options, limits_after
from genpulse.cli.keys.option_types import Lifted, OrNone, Span, after, converted
from genpulse.cli.keys.text import key_document, key_table, limits_text, usage_document
from genpulse.cli.output.table import show_table
from genpulse.cli.output.terminal import say, say_json, say_json_line
from genpulse.cli.stack import json_option
from genpulse.configuration.settings import Settings
from genpulse.domain.keys.api_key import ApiKey, KeyLimits, Scope, Token, digest_of
from genpulse.domain.keys.webhook_secret import new_webhook_secret
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.ports import KeyStore


@click.group("keys")
def command() -> None:
    """Create, list, change and revoke API keys. Works on the database itself."""


command.add_command(message_key.command)
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
@limit_options(lambda kind: kind)
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
    has_webhook_secret: bool,
    as_json: bool,
    **limits: Any,
) -> None:
    """Create a key, and show it once. A limit that is left out does not hold."""
    now = datetime.now(UTC)
    key_scopes = frozenset(Scope(word) for word in scopes) or frozenset({Scope.READ, Scope.WRITE})
    key_limits = limits_after(KeyLimits(), limits)
    secret = new_webhook_secret() if has_webhook_secret else None

    async def add(settings: Settings, keys: KeyStore) -> tuple[ApiKey, Token]:
        token = Token.new(settings.environment.api_key_prefix)
        expires_at = now + expires_in if expires_in else None
        key = ApiKey(uuid_utils.compat.uuid7(), name, token.hint, key_scopes, now, key_limits, expires_at)
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


async def _used(keys: KeyStore) -> tuple[tuple[ApiKey, ...], Mapping[UUID, ScopeUsage]]:
    known = await keys.all()
    return known, await keys.usages([key.id for key in known])


@command.command()
@click.argument("key_id", metavar="ID")
@click.option("--name", callback=_key_name, help="Who or what uses it.")
@click.option("--expires-in", type=OrNone(Span()), help="How long it is good from now: 12h, 90d.")
@limit_options(OrNone)
@json_option
def update(
    key_id: str,
    name: str | None,
    expires_in: timedelta | Lifted | None,
    as_json: bool,
    **limits: Any,
) -> None:
    """Change the key whose id is or begins with ID. `none` lifts a limit, and what is left out stays.

    Every API knows it within 10 seconds. Tasks that are there keep what they were given, but for the weight.
    """
    if all(value is None for value in (name, expires_in, *limits.values())):
        raise click.UsageError("Nothing is to be changed: name an option, such as --daily-usd 25.")
    now = datetime.now(UTC)

    def change(key: ApiKey) -> ApiKey:
        key_limits = limits_after(key.limits, limits)
        expires_at = after(converted(expires_in, lambda span: now + span), key.expires_at)
        return replace(key, name=name or key.name, limits=key_limits, expires_at=expires_at)

    key = with_keys(lambda _, keys: keys.change(key_id, change))
    if as_json:
        say_json_line(key_document(key, now))
    else:
        say(f"The key {key.name!r} ({key.id}) is changed. Its limits: {limits_text(key.limits)}.")


@command.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the key whose id is or begins with ID. Every API refuses it within 10 seconds; its tasks run on."""
    now = datetime.now(UTC)
    key = with_keys(lambda _, keys: keys.revoke(key_id, now))
    say(json.dumps(key_document(key, now)) if as_json else f"The key {key.name!r} ({key.id}) is revoked.")

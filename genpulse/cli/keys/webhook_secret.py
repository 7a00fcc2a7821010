"""`genpulse keys webhook-secret`: what signs messages about the tasks of one key."""

import json
from datetime import UTC, datetime, timedelta

import click

from genpulse.cli.keys.database import with_keys
from genpulse.cli.keys.option_types import Span
from genpulse.cli.keys.text import key_document
from genpulse.cli.output.terminal import say
from genpulse.cli.stack import json_option
from genpulse.domain.keys.webhook_secret import new_webhook_secret


@click.group("webhook-secret")
def command() -> None:
    """Secrets that sign messages about the tasks of one key, in place of webhooks.secret."""


_overlap = click.option(
    "--overlap",
    type=Span(allows_none=True),
    default="24h",
    show_default=True,
    help="For how long what signs now still signs beside it: 12h, 7d; 0 ends it at once, for one that leaked.",
)


@command.command()
@click.argument("key_id", metavar="ID")
@_overlap
@json_option
def rotate(key_id: str, overlap: timedelta, as_json: bool) -> None:
    """Give the key whose id is or begins with ID a new secret, or its first, and show it once."""
    secret = new_webhook_secret()
    key = with_keys(lambda _, keys: keys.rotate_webhook_secret(key_id, secret, overlap))
    say(json.dumps({**key_document(key, datetime.now(UTC)), "webhook_secret": secret}) if as_json else secret)
    say(
        f"It signs for {key.name!r} within 10 seconds. This is the only time that it is shown. What has signed"
        f" until now {_ends(overlap)}.",
        err=True,
    )


@command.command()
@click.argument("key_id", metavar="ID")
@_overlap
@json_option
def remove(key_id: str, overlap: timedelta, as_json: bool) -> None:
    """Let webhooks.secret sign again for the key whose id is or begins with ID."""
    key = with_keys(lambda _, keys: keys.remove_webhook_secret(key_id, overlap))
    words = f"webhooks.secret signs for the key {key.name!r} ({key.id}) again. Its own {_ends(overlap)}."
    say(json.dumps(key_document(key, datetime.now(UTC))) if as_json else words)


@command.command()
def reseal() -> None:
    """Seal all of them with the first of webhooks.sealing_keys, so that the others can be taken away."""
    count = with_keys(lambda _, keys: keys.reseal_webhook_secrets())
    say(f"{count} webhook secrets are sealed with the first of webhooks.sealing_keys.")


def _ends(overlap: timedelta) -> str:
    return (
        f"signs beside it until {datetime.now(UTC) + overlap:%Y-%m-%d %H:%M} UTC" if overlap else "signs no more"
    )

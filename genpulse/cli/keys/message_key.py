"""`genpulse keys message-key`: what signs messages to receivers that check a public key."""

import click

from genpulse.cli.keys.database import with_keys
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import json_option
from genpulse.domain.keys.message_key import KNOWN_AFTER
from genpulse.lifecycle.webhooks.message_keys import json_web_keys, public_message_keys


@click.group("message-key")
def command() -> None:
    """Keys that sign webhooks in forms whose receivers check a public key, as fal's do."""


@command.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """The public keys that are published, the one that signs first."""
    if as_json:
        say_json(with_keys(lambda _, keys: json_web_keys(keys)))
        return
    for key in with_keys(lambda _, keys: public_message_keys(keys)):
        say(f"{key.id}  {key.x}")


@command.command()
def rotate() -> None:
    """Publish a new key, which signs in a day in place of the one before: until then receivers have to know it."""
    keys = with_keys(lambda _, keys: keys.add_message_key())
    newest = keys.published[-1]
    at = newest.created_at + KNOWN_AFTER
    say(f"The key {newest.id} is published and signs from {at:%Y-%m-%d %H:%M} UTC.")

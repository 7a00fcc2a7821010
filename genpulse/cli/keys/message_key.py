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


@command.command()
@click.confirmation_option(prompt="Receivers verify nothing until they have asked for the new key. Go on?")
def forget() -> None:
    """Begin with a new key at once: one has leaked, or nothing here opens it any more."""
    count = with_keys(lambda _, keys: keys.forget_message_keys())
    key = with_keys(lambda _, keys: keys.message_keys()).signs
    say(
        f"{count} keys are forgotten. The key {key.id} signs within a minute; API keys without a webhook secret of"
    )
    say("their own have new ones.")

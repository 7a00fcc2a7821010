"""`genpulse client-tokens`: what a page may do for minutes, without an API key."""

from datetime import UTC, datetime
from typing import Any

import click

from genpulse.cli.client import with_client
from genpulse.cli.generate.model_input import plain_field
from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_option, json_option
from genpulse.cli.tasks.filters import Pair
from genpulse_client import AsyncGenPulse, ClientTerms, ClientToken


@click.group("client-tokens")
def command() -> None:
    """Let a web page or an app do a little of what this API key may, for minutes."""


@command.command("create")
@click.option("-m", "--model", "models", multiple=True, help="A model or a route of which tasks may be submitted.")
@click.option("-t", "--task", "tasks", multiple=True, help="A task that may be watched, in place of models.")
@click.option("--max-tasks", type=click.IntRange(1), help="So many tasks may be submitted.  [default: 1]")
@click.option("--max-usd", help="US dollars that those may come to.")
@click.option("--expires-in-s", type=click.IntRange(1), help="It is good for so long.  [default: 600]")
@click.option("-i", "--input", "fixed", multiple=True, metavar="KEY=VALUE", help="The same in every input.")
@click.option("--input-field", "fields", multiple=True, help="Another field that may be said.  [default: any]")
@click.option("--meta", multiple=True, type=Pair(), help="The metadata of each task, the customer among it.")
@click.option("--webhook-url", help="Is told of the end of each task.")
@click.option("--max-files", type=click.IntRange(1), help="So many files may be brought.")
@click.option("--no-cancel", is_flag=True, help="Its tasks cannot be canceled by it.")
@api_option
@json_option
def create(api: str | None, as_json: bool, **options: Any) -> None:
    """Make a client token, and print its secret, once.

    \b
    genpulse client-tokens create -m sandbox/image --max-tasks 3 --max-usd 0.20 --meta customer=u-17
    genpulse client-tokens create -t 0197a3a6-…
    """
    terms = _terms(**options)
    token = with_client(api, lambda client: client.create_client_token(terms))
    if as_json:
        say_json(token.document)
    else:
        say(token.token or "")


@command.command("list")
@api_option
@json_option
def list_(api: str | None, as_json: bool) -> None:
    """Those of this API key that are good, newest first, with what was done by each."""
    tokens = with_client(api, lambda client: client.client_tokens())
    if as_json:
        say_json([token.document for token in tokens])
        return
    if not tokens:
        say("No client token is good.")
        return
    show_table(_table(tokens))


@command.command("revoke")
@click.argument("ids", nargs=-1, required=True)
@api_option
def revoke(ids: tuple[str, ...], api: str | None) -> None:
    """Revoke the client tokens with these IDS. Their tasks run on."""
    with_client(api, lambda client: _revoke(client, ids))


async def _revoke(client: AsyncGenPulse, ids: tuple[str, ...]) -> None:
    for token_id in ids:
        await client.revoke_client_token(token_id)
        say(f"{token_id} is revoked; every API refuses it within 10 seconds.")


def _terms(
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    fixed: tuple[str, ...],
    fields: tuple[str, ...],
    meta: tuple[tuple[str, str], ...],
    no_cancel: bool,
    **limits: Any,
) -> ClientTerms:
    if bool(models) == bool(tasks):
        raise click.UsageError("Name either models (--model) or tasks (--task).")
    return ClientTerms(
        tasks=tasks or None,
        models=models or None,
        input=dict(map(plain_field, fixed)) or None,
        input_fields=fields or None,
        metadata=dict(meta) or None,
        may_cancel=False if no_cancel else None,
        **limits,
    )


def _table(tokens: tuple[ClientToken, ...]) -> Table:
    table = Table(
        Column("id"),
        Column("for", rank=1),
        Column("tasks", rank=2),
        Column("USD", rank=3),
        Column("until", rank=4),
    )
    here = datetime.now(UTC).astimezone()
    for token in tokens:
        table.add(
            token.id,
            ", ".join(token.models) or f"{len(token.tasks)} tasks",
            f"{token.used_tasks} of {token.max_tasks}" if token.max_tasks else "",
            f"{token.used_usd:f}" + (f" of {token.max_usd:f}" if token.max_usd is not None else ""),
            moment_text(token.expires_at, here),
        )
    return table

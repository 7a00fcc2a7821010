"""Deleting each of the things that a command names."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence

import click

from genpulse.cli.client import with_client
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import agreed, say
from genpulse_client import ApiRefused, AsyncGenPulse

Resolve = Callable[[AsyncGenPulse, str], Awaitable[str]]
Delete = Callable[[AsyncGenPulse, str], Awaitable[None]]


def delete_each(
    what: str,
    words: Sequence[str],
    resolve: Resolve,
    delete: Delete,
    *,
    api: str | None,
    is_agreed: bool,
    as_json: bool,
) -> None:
    """Delete all that `words` name, once a person has agreed, and say of each how it went.

    Raises `CommandRefused` before anything is deleted where nobody can be asked, and afterwards where one was
    refused.
    """

    async def names(client: AsyncGenPulse) -> list[str]:
        return list(dict.fromkeys([await resolve(client, word) for word in words]))

    async def act(client: AsyncGenPulse) -> dict[str, str]:
        return {one: await _refusal(client, delete, one) for one in ids}

    ids = with_client(api, names)
    if not is_agreed:
        _confirm(what, ids)
    refused = {one: why for one, why in with_client(api, act).items() if why}
    deleted = [one for one in ids if one not in refused]
    if as_json:
        say(json.dumps({"deleted": deleted, "refused": refused}))
    else:
        say("\n".join([*(f"Deleted {one}." for one in deleted), *refused.values()]))
    if refused:
        click.get_current_context().exit(1)


async def _refusal(client: AsyncGenPulse, delete: Delete, one: str) -> str:
    try:
        await delete(client, one)
    except ApiRefused as error:
        return str(error)
    return ""


def _confirm(what: str, ids: Sequence[str]) -> None:
    """Let a person say yes. Raises `CommandRefused`."""
    count = f"1 {what}" if len(ids) == 1 else f"{len(ids)} {what}s"
    if not sys.stdin.isatty():
        raise CommandRefused(
            f"Nobody can be asked here whether {count} may go. Run it with --yes. Nothing was deleted."
        )
    if not agreed(f"Delete {count} for good?"):
        raise CommandRefused("Nothing was deleted.")

"""`genpulse doors`: settings of each client, to copy, and what is missing for it."""

import asyncio
from collections.abc import Iterator, Sequence

import click

from genpulse import config
from genpulse.cli.doors.client_settings import ClientSettings, DoorSettings, ServiceAddress, door_settings
from genpulse.cli.doors.look import Seen, look
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import DEFAULT_API, api_key, api_option, json_option, running_stack

_KEY = '"$GENPULSE_API_KEY"'
_NO_KEY = "No API key exists yet, and these clients want one: genpulse keys create --name my-app"
_NO_KEY_HERE = (
    "Calls need an API key: put it into GENPULSE_API_KEY, or create one: genpulse keys create --name my-app"
)
_WRONG_KEY = "The key in GENPULSE_API_KEY is not taken there: genpulse keys list"


@click.command("doors")
@api_option
@json_option
@click.pass_context
def command(ctx: click.Context, api: str | None, as_json: bool) -> None:
    """Settings of the clients of Replicate, fal and OpenAI that lead them here, to copy and paste.

    Of the dev stack that runs in this folder, or of the API that GENPULSE_URL or api.public_url names. Exit code 1
    where nothing answers there.
    """
    place = _place(api)
    key = api_key()
    seen = asyncio.run(look(place, key))
    doors, missing = door_settings(place), list(_missing(place, seen, has_key=bool(key)))
    if as_json:
        say_json(_document(place, doors, seen, missing))
    else:
        _print(place, doors, seen, missing)
    ctx.exit(0 if seen.answers else 1)


def _place(api: str | None) -> ServiceAddress:
    state = running_stack()
    if api is None and state is not None:
        return ServiceAddress(state.api_url, state.https_url or None, state.ca_file or None)
    url = (api or config.load(require=()).api_url).rstrip("/")
    return ServiceAddress(None, url) if url.startswith("https:") else ServiceAddress(url, None)


def _missing(place: ServiceAddress, seen: Seen, *, has_key: bool) -> Iterator[str]:
    if not seen.answers:
        yield (
            f"Nothing answers at {place.plain_url}: start it by `genpulse dev --tls`, or name it by --api or"
            f" {DEFAULT_API}."
        )
        return
    if seen.takes_key is False:
        yield _WRONG_KEY
    elif not has_key:
        yield _NO_KEY_HERE if seen.needs_key else _NO_KEY


def _document(
    place: ServiceAddress, doors: Sequence[DoorSettings], seen: Seen, missing: Sequence[str]
) -> dict[str, object]:
    return {
        "http_url": place.http_url,
        "https_url": place.https_url,
        "ca_file": place.ca_file,
        "answers": seen.answers,
        "missing": list(missing),
        "doors": {door.name: _door_document(door, seen) for door in doors},
    }


def _door_document(door: DoorSettings, seen: Seen) -> dict[str, object]:
    return {
        "open": door.name in seen.opened,
        "environment": dict(door.environment),
        "key_variable": door.key_variable,
        "clients": [
            {
                "name": client.name,
                "environment": dict(client.environment),
                "code": client.code or None,
                "lacks": client.lacks or None,
            }
            for client in door.clients
        ],
    }


def _print(place: ServiceAddress, doors: Sequence[DoorSettings], seen: Seen, missing: Sequence[str]) -> None:
    say(f"GenPulse at {' and '.join(url for url in (place.http_url, place.https_url) if url)}")
    for line in missing:
        say(f"! {line}")
    for door in doors:
        say("")
        if seen.answers and door.name not in seen.opened:
            say(f"{door.name}: closed there (doors.{door.name})")
            continue
        for client in door.clients:
            _print_client(door, client)


def _print_client(door: DoorSettings, client: ClientSettings) -> None:
    say(f"# {door.name}: {client.name}")
    if client.lacks:
        say(f"# ! {client.lacks}")
    for name, value in client.environment.items():
        say(f"export {name}={value}")
    say(f"export {door.key_variable}={_KEY}")
    if client.code:
        say(client.code)

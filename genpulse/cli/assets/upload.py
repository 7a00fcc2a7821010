"""`genpulse upload`: files that inputs name afterwards."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import api_key, api_option, api_url, json_option
from genpulse_client import AsyncGenPulse


@click.command("upload")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@api_option
@json_option
def command(files: tuple[Path, ...], api: str | None, as_json: bool) -> None:
    """Upload FILES, and print for each what an input names it by.

    \b
    genpulse upload photo.png
    genpulse generate -m sandbox/restyle -i image=asset:0197a3a6-…

    All of them are looked at before the first one is sent; each is told as soon as it is there.
    """
    for path in files:
        _check(path)
    asyncio.run(_upload(api_url(api), files, as_json=as_json))


def _check(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise CommandRefused(f"{path} cannot be read: {error.strerror}. Nothing was uploaded.") from error


async def _upload(url: str, files: Sequence[Path], *, as_json: bool) -> None:
    async with AsyncGenPulse(url, api_key()) as genpulse:
        for path in files:
            asset = await genpulse.upload(path)
            if as_json:
                say_json(asset.document)
            else:
                say(f"asset:{asset.id}")

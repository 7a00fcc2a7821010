"""`genpulse assets`: delete uploads and outputs, and find those whose bytes are gone."""

import click

from genpulse.cli.assets import check
from genpulse.cli.deletion import delete_each
from genpulse.cli.stack import api_option, json_option
from genpulse_client import AsyncGenPulse


@click.group("assets")
def command() -> None:
    """Delete uploads and outputs, and find those whose bytes are gone. ASSET is a whole id."""


command.add_command(check.command)


@command.command()
@click.argument("assets", metavar="ASSET...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@api_option
@json_option
def delete(assets: tuple[str, ...], yes: bool, api: str | None, as_json: bool) -> None:
    """Delete uploads and outputs for good.

    From then on nobody sees them, and within a minute their bytes are gone, unless another asset has the same. The
    task that made one says that it is missing. One that a task needs which has not ended is refused.
    """
    delete_each("asset", assets, _as_it_is, AsyncGenPulse.delete_asset, api=api, is_agreed=yes, as_json=as_json)


async def _as_it_is(_client: AsyncGenPulse, word: str) -> str:
    return word.strip()

"""`genpulse assets check`: finds assets whose bytes are gone."""

import asyncio

import click

from genpulse.cli.output.terminal import say, say_json_line
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.configuration.settings import Settings


@click.command("check")
@click.option("--whole", is_flag=True, help="Read all bytes and compare their hashes.")
@json_option
@click.pass_context
def command(ctx: click.Context, whole: bool, as_json: bool) -> None:
    """Compare all assets in the database with the storage, as after a restore. Exit code 1 when bytes are missing.

    Each asset without its bytes is named with its task; callers that ask for it get 410 asset_gone. Nothing is
    changed. It asks PostgreSQL and the storage of the configuration, not an API.
    """
    settings = settings_for_servers(("database_url",))
    looked_at, lost = asyncio.run(_checked(settings, whole=whole, as_json=as_json))
    if not as_json:
        say(f"{looked_at:,} assets were looked at; the bytes of {lost:,} are missing.")
    ctx.exit(1 if lost else 0)


async def _checked(settings: Settings, *, whole: bool, as_json: bool) -> tuple[int, int]:
    from genpulse.wiring.assets import LostAsset, checked_assets  # half a second that other verbs need not wait
    from genpulse.wiring.database import check_database

    def tell(each: LostAsset) -> None:
        asset = each.asset
        task = str(asset.task_id) if asset.task_id else None
        if as_json:
            say_json_line({"asset": str(asset.id), "task": task, "key": asset.content.key, "why": each.why})
        else:
            say(f"{asset.id}  {f'of task {task}' if task else 'an upload'}  {asset.content.key}  {each.why}")

    looked_at = missing = 0
    await check_database(settings)
    async for count, lost in checked_assets(settings, whole=whole):
        looked_at, missing = looked_at + count, missing + len(lost)
        for each in lost:
            tell(each)
    return looked_at, missing

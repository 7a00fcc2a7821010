"""`genpulse dev`: the whole stack to work with."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import genpulse
from genpulse import config
from genpulse.cli.errors import CommandRefused
from genpulse.cli.stack import HOME
from genpulse.dev.console import StackConsole
from genpulse.dev.reload import changes
from genpulse.dev.stack import Stack, StackPlan, running_stack
from genpulse.dev.supervisor import STACK
from genpulse.settings import Settings

_INTERRUPTED = 130


@click.command("dev")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API. Default: api.port.")
@click.option("--reload/--no-reload", default=True, help="Start api and worker again when the code changes.")
@click.pass_context
def command(ctx: click.Context, port: int | None, reload: bool) -> None:
    """The whole stack to work with, until Ctrl-C.

    Starts PostgreSQL and Valkey (unless GENPULSE_DATABASE_URL and GENPULSE_REDIS__URL name others), brings the
    database up to date, and runs the API and a worker. Data, logs and state stay under .genpulse/ of the project.
    """
    settings = development_settings("genpulse dev")
    home = settings.root / HOME
    plan = stack_plan(settings, home, port or settings.api.port)
    ctx.exit(asyncio.run(_dev(plan, reload=reload)))


def development_settings(verb: str) -> Settings:
    """The settings, if this is the environment whose services are started here. Raises `CommandRefused`."""
    resolved = config.find_environment()
    if resolved.environment.services != "auto-spawn":
        raise CommandRefused(
            f"{verb} starts local services and runs only with ENV=dev; resolved environment is"
            f" {resolved.environment.dynaconf} (decided by {resolved.decided_by})."
        )
    return config.load(require=())


def stack_plan(settings: Settings, home: Path, port: int | None) -> StackPlan:
    """What to bring up, with an environment for api and worker that says the same as ours."""
    environment = {
        **os.environ,
        "ENV": settings.environment.name,
        "ENV_FOR_DYNACONF": settings.environment.dynaconf,
        "GENPULSE_STORAGE__URL": settings.storage_url,
    }
    return StackPlan(
        home=home,
        python=sys.executable,
        folder=settings.root,
        environment=environment,
        api_host=settings.api.host,
        api_port=port,
        database_url=settings.database_url.get_secret_value() if settings.database_url else None,
        redis_url=settings.redis.url.get_secret_value() if settings.redis.url else None,
    )


async def _dev(plan: StackPlan, *, reload: bool) -> int:
    plan.home.mkdir(parents=True, exist_ok=True)
    hear = StackConsole(plan.home / "logs", Console(highlight=False))
    up = asyncio.create_task(_run(plan, hear, reload=reload))
    interruptions = 0

    def interrupt() -> None:
        nonlocal interruptions
        interruptions += 1
        if interruptions == 1:
            hear(STACK, "stopping (again: at once)")
            up.cancel()
        else:
            os._exit(_INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        return await up
    except asyncio.CancelledError:
        return _INTERRUPTED
    finally:
        hear.close()


async def _run(plan: StackPlan, hear: StackConsole, *, reload: bool) -> int:
    async with running_stack(plan, hear) as stack:
        for line in _banner(stack, plan):
            hear(STACK, line)
        duties: list[Coroutine[Any, Any, int]] = [stack.watch_over()]
        if reload:
            duties.append(_reload(stack, plan, hear))
        tasks = [asyncio.create_task(duty) for duty in duties]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return done.pop().result()


async def _reload(stack: Stack, plan: StackPlan, hear: StackConsole) -> int:
    watched = [Path(genpulse.__file__).parent, plan.folder / "config"]
    async for names in changes([folder for folder in watched if folder.is_dir()]):
        hear(STACK, f"{names} changed: starting api and worker again")
        await stack.reload()
    return 0


def _banner(stack: Stack, plan: StackPlan) -> tuple[str, ...]:
    return (
        "",
        f"GenPulse is up:  {stack.api_url}     documentation: {stack.api_url}/docs",
        f"  PostgreSQL     {stack.database_url}",
        f"  Redis          {stack.redis_url}",
        f"  data and logs  {plan.home}",
        '  try            genpulse generate "a red fox at dawn" -o fox.png',
        "  stop           Ctrl-C",
        "",
    )

"""`genpulse doctor`: looks at everything that has to be there, and says what to do about what is not."""

import asyncio
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click
from rich.console import Console

from genpulse import config
from genpulse.cli.stack import json_option, running_stack, settings_for_servers
from genpulse.dev.binaries import postgres_binaries, redis_binary
from genpulse.dev.errors import BinaryMissing
from genpulse.domain.errors import ForeignDatabase, UnstampedDatabase
from genpulse.environment.errors import EnvironmentProblem
from genpulse.ports import Health, State, WorkerPresence
from genpulse.settings import Settings
from genpulse.wiring import check_database, open_catalogue, open_services

_BAD_CONFIGURATION = 78
_WHOSE = "whose database"
_LEAST_FREE = 1 << 30
_OLDEST = (3, 11)
_SANDBOX = ("numpy", "PIL", "av", "hibari")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and how it is; `advice` is what to do when it is not well."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Look at everything that has to be there, and say what to do.

    Works with nothing running. Exit code 1 when something is wrong, 78 when the database is that of another
    environment.
    """
    findings = list(_findings())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    wrong = [finding.name for finding in findings if not finding.ok]
    ctx.exit(_BAD_CONFIGURATION if _WHOSE in wrong else int(bool(wrong)))


def _print(findings: list[Finding]) -> None:
    console = Console(highlight=False)
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        console.print(f"{mark} [bold]{finding.name:<14}[/] {finding.detail}", soft_wrap=True)
        if finding.advice:
            console.print(f"  {'':<14} → {finding.advice}", soft_wrap=True)


def _findings() -> Iterator[Finding]:
    yield _python()
    yield from _environment()
    yield _binaries("PostgreSQL program", lambda: postgres_binaries().origin)
    yield _binaries("Redis program", lambda: redis_binary().origin)
    yield _sandbox()
    yield _disk()
    try:
        settings = settings_for_servers()
    except config.ConfigurationError as error:
        yield _no_servers(error)
        return
    except EnvironmentProblem:
        return
    try:
        asyncio.run(check_database(settings))
    except (ForeignDatabase, UnstampedDatabase) as error:
        yield Finding(_WHOSE, False, str(error))
        return
    yield from asyncio.run(_running(settings))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= _OLDEST, version)


def _environment() -> Iterator[Finding]:
    try:
        resolved = config.find_environment()
        yield Finding("environment", True, f"{resolved.environment.dynaconf}, by {resolved.decided_by}")
        settings = config.load(require=())
        yield Finding("configuration", True, f"in order, project folder {settings.root}")
        yield from _plug_ins(settings)
    except (EnvironmentProblem, config.ConfigurationError) as error:
        yield Finding("configuration", False, str(error), "mend what is listed")


def _plug_ins(settings: Settings) -> Iterator[Finding]:
    catalogue = open_catalogue(settings)
    names = ", ".join(catalogue.providers()) or "none"
    yield Finding("providers", bool(catalogue.providers()), names)
    for name, why in catalogue.broken.items():
        yield Finding(f"provider {name}", False, f"left out: {why}", "install what it needs, or uninstall it")


def _binaries(name: str, find: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, find())
    except BinaryMissing as error:
        return Finding(name, True, f"none, so that genpulse dev needs a running server. {error}")


def _sandbox() -> Finding:
    missing = [name for name in _SANDBOX if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("sandbox", False, f"{', '.join(missing)} not installed", "pip install 'genpulse[sandbox]'")
    return Finding("sandbox", True, "its libraries are installed")


def _disk() -> Finding:
    free = shutil.disk_usage(".").free
    return Finding(
        "disk", free > _LEAST_FREE, f"{free / 1e9:.1f} GB free here", "" if free > _LEAST_FREE else "make room"
    )


def _no_servers(error: config.ConfigurationError) -> Finding:
    """In development it is no fault that nothing runs yet."""
    state = running_stack()
    if state is None and config.find_environment().environment.services == "auto-spawn":
        return Finding("servers", True, "none runs and none is named; genpulse dev starts them")
    return Finding("servers", False, str(error), "name them in the environment or in .env")


async def _running(settings: Settings) -> list[Finding]:
    async with open_services(settings, process="doctor") as services:
        health = await asyncio.gather(*(probe() for probe in services.probes))
        workers = await services.presence.workers()
    return [*map(_of_health, health), _of_workers(workers)]


def _of_health(health: Health) -> Finding:
    ok = health.state is State.OK
    advice = "" if ok or health.name == "migrations" else "start it, or mend its address in the configuration"
    return Finding(health.name, ok, health.detail or health.state.value, advice)


def _of_workers(workers: tuple[WorkerPresence, ...]) -> Finding:
    if not workers:
        return Finding("workers", False, "none was seen", "start one: genpulse worker, or genpulse dev")
    names = ", ".join(f"{worker.host}:{worker.pid} ({worker.running} running)" for worker in workers)
    return Finding("workers", True, names)

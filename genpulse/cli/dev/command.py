"""`genpulse dev`: the whole stack to work with."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from genpulse import config
from genpulse.cli.errors import CommandRefused
from genpulse.cli.lazy_group import LazyCommand, LazyGroup
from genpulse.cli.stack import HOME
from genpulse.configuration.errors import ConfigurationError
from genpulse.configuration.settings import Settings
from genpulse.dev.home import demand_sight
from genpulse.dev.plan import ComfyUIPlan, Source, StackPlan, TlsPlan
from genpulse.environment.errors import EnvironmentProblem
from genpulse.environment.resolve import Resolved

_DESTRUCTIVE = "reset"
_COMMANDS = {
    "status": LazyCommand("genpulse.cli.dev.status:command"),
    "logs": LazyCommand("genpulse.cli.dev.logs:command"),
    "down": LazyCommand("genpulse.cli.dev.down:command"),
    _DESTRUCTIVE: LazyCommand("genpulse.cli.dev.reset:command"),
}


class _Commands(LazyGroup):
    """The commands about a stack. The one that throws data away exists in development alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return [name for name in super().list_commands(ctx) if name != _DESTRUCTIVE or _in_development()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command. Raises `CommandRefused` where data are not to be thrown away."""
        if cmd_name == _DESTRUCTIVE:
            development(f"genpulse dev {cmd_name}", "throws local data away and exists")
        return super().get_command(ctx, cmd_name)


def _in_development() -> bool:
    try:
        return config.find_environment().environment.spawns_services
    except (EnvironmentProblem, ConfigurationError):
        return False


@click.group("dev", cls=_Commands, lazy=_COMMANDS, invoke_without_command=True, subcommand_metavar="[COMMAND]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API. Default: api.port.")
@click.option("--tls", is_flag=True, help="Speak https, too, with an authority of this folder's own.")
@click.option("--tls-port", type=click.IntRange(1, 65535), help="Port of https. Default: 8443 if it is free.")
@click.option("--reload/--no-reload", default=True, help="Start api and worker again when the code changes.")
@click.option(
    "--services",
    type=click.Choice([source.value for source in Source]),
    default=Source.EMBEDDED.value,
    help=(
        "Where PostgreSQL and Redis come from: wheels of genpulse[embedded] or else PATH (embedded, the default),"
        " PATH alone (path), Docker Compose (docker)."
    ),
)
@click.pass_context
def command(
    ctx: click.Context, port: int | None, tls: bool, tls_port: int | None, reload: bool, services: str
) -> None:
    """The whole stack to work with, until Ctrl-C.

    Starts PostgreSQL and Valkey (unless GENPULSE_DATABASE_URL and GENPULSE_REDIS__URL name others), brings the
    database up to date, and runs the API and a worker. Data, logs and state stay under .genpulse/ of the project.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    from genpulse.cli.dev.run import run

    settings = development_settings("genpulse dev")
    plan = stack_plan(settings, settings.root / HOME, port or settings.api.port, Source(services))
    if tls or tls_port:
        plan = replace(plan, tls=TlsPlan(tls_port))
    ctx.exit(run(plan, reload=reload))


def _refuse_options(ctx: click.Context) -> None:
    """An option of the stack says nothing to a verb that looks at one."""
    for name in ctx.params:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--{name.replace('_', '-')} belongs to `genpulse dev` alone, not to {ctx.invoked_subcommand}."
            )


def development(verb: str, does: str = "starts local services and runs") -> Resolved:
    """The environment, if it is the one whose services are started here. Raises `CommandRefused`."""
    resolved = config.find_environment()
    if not resolved.environment.spawns_services:
        raise CommandRefused(
            f"{verb} {does} only with ENV=dev; resolved environment is {resolved.environment.dynaconf} (decided by"
            f" {resolved.decided_by})."
        )
    return resolved


def home_of_project() -> Path:
    """The folder of state, logs and data of this project's stack. Raises `FolderRefused` if it is not visible."""
    home = config.project_root() / HOME
    demand_sight(home)
    return home


def development_settings(verb: str) -> Settings:
    """The settings, if services are started here. Raises `CommandRefused`."""
    development(verb)
    return config.load(require=())


def stack_plan(settings: Settings, home: Path, port: int | None, services: Source = Source.EMBEDDED) -> StackPlan:
    """Plan the stack; its api and worker get the environment and storage of this process."""
    from genpulse.dev.processes.plug_in_code import plug_in_code
    from genpulse.provider.plug_in import ADAPTERS, GROUP

    environment = {
        **os.environ,
        "ENV": settings.environment.name,
        "ENV_FOR_DYNACONF": settings.environment.dynaconf,
        "GENPULSE_STORAGE__URL": settings.storage_url,
    }
    code = plug_in_code((GROUP, ADAPTERS))
    return StackPlan(
        home=home,
        python=sys.executable,
        folder=settings.root,
        environment=environment,
        api_host=settings.api.host,
        api_port=port,
        database_url=settings.database_url.get_secret_value() if settings.database_url else None,
        redis_url=settings.redis.url.get_secret_value() if settings.redis.url else None,
        services=services,
        comfyui=_comfyui(settings),
        has_console=settings.serves_console,
        watched=(settings.root / (_option(settings, "workflows") or "workflows"), *code.packages),
        watched_flat=code.modules,
    )


def _comfyui(settings: Settings) -> ComfyUIPlan | None:
    """The ComfyUI to start; none when one is named that runs already."""
    section = settings.providers.named.get("comfyui")
    folder = _option(settings, "folder")
    if section is None or not section.enabled or section.base_url or folder is None:
        return None
    python = _option(settings, "python")
    return ComfyUIPlan(
        settings.root / Path(folder).expanduser(),
        settings.root / Path(python).expanduser() if python else None,
        _option(settings, "arguments") or "",
    )


def _option(settings: Settings, name: str) -> str | None:
    section = settings.providers.named.get("comfyui")
    value = section.options.get(name, "") if section else ""
    return str(value) if value != "" else None

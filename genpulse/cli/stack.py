"""The settings of a command, and the dev stack of its folder."""

import os
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from genpulse import config
from genpulse.addresses import web
from genpulse.configuration.settings import Settings
from genpulse.dev.state import DevState, read_state

DEFAULT_API = "GENPULSE_URL"
"""The variable that names an API to the clients, too."""


def _address(ctx: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    """Check an address before it is used. Raises `BadParameter`, which names the variable that it came by."""
    if url is None:
        return None
    if why := web.refusal(url.strip()):
        by_variable = ctx.get_parameter_source(parameter.name or "") is ParameterSource.ENVIRONMENT
        raise click.BadParameter(
            f"{why}, such as http://127.0.0.1:8000", param_hint=DEFAULT_API if by_variable else None
        )
    return url.strip()


api_option = click.option(
    "--api",
    "api",
    metavar="URL",
    callback=_address,
    envvar=DEFAULT_API,
    help=f"Address of the API. Default: {DEFAULT_API}, else the running dev stack's, else as configured.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

HOME = ".genpulse"


def running_stack(folder: Path | None = None) -> DevState | None:
    """The dev stack of this project, if it is up."""
    return read_state(config.project_root(folder) / HOME)


def settings_for_servers(require: Sequence[str] = ("database_url", "redis.url")) -> Settings:
    """The settings; in dev, servers that are not named are those of this folder's running stack."""
    process = dict(os.environ)
    state = running_stack()
    if state is not None and config.find_environment().environment.services == "auto-spawn":
        process.setdefault("GENPULSE_DATABASE_URL", state.database_url)
        process.setdefault("GENPULSE_REDIS__URL", state.redis_url)
    return config.load(process=process, require=require)


def api_key() -> str | None:
    """The key with which the command line calls the API: GENPULSE_API_KEY, as all settings are found."""
    key = config.load(require=()).api_key
    return key.get_secret_value() if key else None


def api_url(option: str | None) -> str:
    """The address of the API: the option's or GENPULSE_URL, else the running dev stack's, else as configured."""
    if option:
        return option
    state = running_stack()
    if state is not None:
        return state.api_url
    return config.load(require=()).api_url

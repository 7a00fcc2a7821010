"""`genpulse dev status`: is the stack of this folder up, and where."""

import time
from dataclasses import asdict

import click

from genpulse.cli.dev.command import home_of_project
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import json_option
from genpulse.configuration.documents.masking import shown
from genpulse.dev.processes.stack_lock import lock_holder
from genpulse.dev.processes.stack_processes import members
from genpulse.dev.stack import API_TLS
from genpulse.dev.state import CA_VARIABLE, DevState, read_state


@click.command("status")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Whether the stack of this folder is up, its addresses without passwords, its processes.

    Exit code 0 when it is up, 1 when it is not.
    """
    home = home_of_project()
    state, holder = read_state(home), lock_holder(home)
    if as_json:
        say_json(_facts(state))
    elif state is not None:
        _print(state)
    elif holder is not None:
        say(f"The stack of {home.parent} (pid {holder}) is starting or stopping.")
    else:
        say(f"No stack runs in {home.parent}. Start it with `genpulse dev`.")
    ctx.exit(0 if state is not None else 1)


def _facts(state: DevState | None) -> dict[str, object]:
    if state is None:
        return {"up": False}
    return {
        "up": True,
        "pid": state.pid,
        "up_for_s": round(_up_for_s(state)),
        "api": {"url": state.api_url},
        "https": {"url": state.https_url, "ca_file": state.ca_file} if state.https_url else None,
        "postgres": {"url": shown("database_url", state.database_url), "from": state.postgres_from},
        "redis": {"url": shown("redis.url", state.redis_url), "from": state.redis_from},
        "processes": [asdict(member) for member in members(state.pid)],
    }


def _print(state: DevState) -> None:
    pids = {member.name: member.pid for member in members(state.pid)}
    say(f"GenPulse is up for {_spoken(_up_for_s(state))} (pid {state.pid}).")
    rows = [
        ("api", state.api_url, ""),
        *([(API_TLS, state.https_url, f"({CA_VARIABLE}={state.ca_file})")] if state.https_url else []),
        ("worker", "", ""),
        ("postgres", shown("database_url", state.database_url), f"({state.postgres_from})"),
        ("redis", shown("redis.url", state.redis_url), f"({state.redis_from})"),
    ]
    rows += [(name, "", "") for name in pids if name not in {row[0] for row in rows}]
    for name, url, origin in rows:
        pid = f"pid {pids[name]}" if name in pids else "elsewhere" if origin else "not running"
        say(f"  {name:<9} {pid:<12} {url} {origin}".rstrip())


def _up_for_s(state: DevState) -> float:
    return max(time.time() - state.born, 0)


def _spoken(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{minutes:.0f} min" if minutes >= 1 else f"{seconds:.0f} s"

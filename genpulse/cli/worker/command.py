"""`genpulse worker`: a worker, as a process of its own, and whether the one beside it is well."""

import os
import time
from pathlib import Path

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say

_HEALTH_FILE = "GENPULSE_WORKER__HEALTH_FILE"
"""Of all layers of the settings the process' own variables are the last: an absolute path there is what holds."""


@click.command("worker")
@click.option("--concurrency", type=click.IntRange(1), help="Tasks at once. Default: worker.concurrency.")
@click.option("--providers", metavar="A,B", help="Work for these providers only. Default: all.")
@click.option(
    "--health",
    is_flag=True,
    help="Start none: say whether the one that writes worker.health_file is well. Exit code 1 where it is not.",
)
def command(concurrency: int | None, providers: str | None, *, health: bool) -> None:
    """A worker, as a process of its own.

    Any number of them may run, on any host, against the same PostgreSQL and Redis. SIGTERM gives jobs
    at vendors back at once, lets work that is done here end for worker.grace_s
    seconds, and awaits answers to what was ordered for worker.stop_s seconds.
    """
    if health:
        if concurrency is not None or providers is not None:
            raise click.UsageError("--health starts no worker: it goes with no other option.")
        _tell_health()
        return
    from genpulse.cli.worker.process import run_worker  # imports everything; a probe needs a tenth of it

    run_worker(concurrency, providers)


def _tell_health() -> None:
    from genpulse.worker.sign_of_life import fault_in

    if fault := fault_in(_health_file(), time.monotonic()):
        raise CommandRefused(f"{fault[0].upper()}{fault[1:]}.")
    say("The worker is well.")


def _health_file() -> Path:
    """Raises `CommandRefused` where none is configured."""
    path = Path(os.environ.get(_HEALTH_FILE, ""))
    if path.is_absolute():
        return path
    from genpulse import config

    settings = config.load(require=())
    if settings.worker.health_file is None:
        raise CommandRefused(f"No worker.health_file is configured, so no worker writes one. Set {_HEALTH_FILE}.")
    return settings.root / settings.worker.health_file

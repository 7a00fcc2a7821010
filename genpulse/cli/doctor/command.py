"""`genpulse doctor`: looks at everything that has to be there, and says what to do about what is not."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict

import click
from rich.markup import escape

from genpulse import config
from genpulse.cli.doctor import configuration, machine
from genpulse.cli.doctor.finding import Finding, Level, well, wrong
from genpulse.cli.doctor.proxies import proxies
from genpulse.cli.doctor.servers import WHOSE, servers
from genpulse.cli.output.console import console
from genpulse.cli.output.terminal import say_json
from genpulse.cli.stack import json_option, running_stack, settings_for_servers
from genpulse.configuration.settings import Settings

_MARKS = {Level.OK: "[green]✓[/]", Level.WARNING: "[yellow]![/]", Level.WRONG: "[red]✗[/]"}


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Look at everything that has to be there, and say what to do.

    Works with nothing running. Warnings are for somebody to know. Exit code 1 when something is wrong, 78 when the
    database is that of another environment.
    """
    findings = list(_findings())
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    bad = [finding.name for finding in findings if finding.level is Level.WRONG]
    ctx.exit(os.EX_CONFIG if WHOSE in bad else int(bool(bad)))


def _print(findings: list[Finding]) -> None:
    out = console()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        name = f"[bold]{escape(finding.name):<{width}}[/]"
        out.print(f"{_MARKS[finding.level]} {name} {escape(finding.detail)}", soft_wrap=True)
        if finding.advice:
            out.print(f"  {'':<{width}} → {escape(finding.advice)}", soft_wrap=True)
    counted = [sum(finding.level is level for finding in findings) for level in (Level.WRONG, Level.WARNING)]
    if any(counted):
        out.print(f"\n{counted[0]} wrong, {counted[1]} to know of")


def _findings() -> Iterator[Finding]:
    yield machine.python()
    row = configuration.environment()
    yield row
    if row.level is Level.WRONG:
        return
    yield from configuration.build()
    finding, settings = configuration.load()
    yield finding
    if settings is not None:
        yield from _of(settings)


def _of(settings: Settings) -> Iterator[Finding]:
    yield from configuration.allowed(settings)
    yield from configuration.named(settings)
    if settings.environment.is_production:
        yield configuration.time_out(settings)
        yield from configuration.reached(settings)
    yield from configuration.models(settings)
    yield from configuration.providers(settings)
    yield configuration.spending(settings)
    yield from proxies(settings.proxies)
    yield machine.sandbox()
    if settings.environment.spawns_services:
        yield from machine.programs()
        yield machine.project_folder(settings.root)
    yield from machine.disks(settings)
    yield from machine.waiting(settings)
    yield from _servers(settings)


def _servers(settings: Settings) -> Iterator[Finding]:
    """In development it is no fault that nothing runs yet."""
    try:
        complete = settings_for_servers()
    except config.ConfigurationError as error:
        if settings.environment.spawns_services and running_stack() is None:
            yield well("servers", "none runs, or not all are named; genpulse dev starts what is missing")
        else:
            yield wrong("servers", str(error), "name them in the environment or in .env")
        return
    yield from asyncio.run(servers(complete))

"""`genpulse config`: show, explain and check the configuration."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from genpulse import config
from genpulse.cli.environment_option import environment_option
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.file_names import write_text
from genpulse.cli.output.terminal import say, say_json
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.environment.table import Environment

_write_option = click.option(
    "--write", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)


@click.group("config")
def command() -> None:
    """Show, explain and check the configuration."""


@command.command()
@json_option
def show(as_json: bool) -> None:
    """Every setting that is in force and where it comes from; secrets are masked."""
    from genpulse.configuration.documents.explanation import explain_all

    resolved = config.find_environment()
    config.tell(resolved)
    settings = explain_all(None, os.environ)
    if as_json:
        values = {each.key: {"value": each.value, "from": each.winner or "code"} for each in settings}
        say_json({"environment": resolved.environment.dynaconf, "settings": values})
        return
    say(f"environment = {resolved.environment.dynaconf}  ({resolved.decided_by})")
    for each in settings:
        place = next((layer.place for layer in each.layers if layer.layer == each.winner), "")
        say(f"{each.key} = {_text(each.value)}" + (f"  ({place})" if place else ""))


@command.command("explain")
@click.argument("key")
@json_option
def explain_command(key: str, as_json: bool) -> None:
    """What each layer says about KEY (worker.batch, or GENPULSE_WORKER__BATCH), and which one wins."""
    from genpulse.configuration.documents.explanation import default_of, dotted, explain
    from genpulse.configuration.documents.masking import shown
    from genpulse.configuration.rules.near_names import why_no_setting
    from genpulse.configuration.sources.variables import PREFIX, variable_name

    config.tell(config.find_environment())
    explanation = explain(key, None, os.environ)
    if explanation is None:
        say_key = variable_name if key.upper().startswith(PREFIX) else str
        why = why_no_setting(dotted(key), say_key)
        raise CommandRefused(f"{why} `genpulse config show` lists all settings.")
    default = shown(explanation.key, default_of(explanation.setting))
    if as_json:
        document = {
            "key": explanation.key,
            "value": explanation.value,
            "winner": explanation.winner or "code",
            "default": default,
            "layers": [asdict(row) for row in explanation.layers],
        }
        say_json(document)
        return
    say(f"{explanation.key}   {explanation.setting.kind}   {variable_name(explanation.key)}")
    say(f"  {explanation.setting.meaning}")
    rows = [
        ("code", default, ""),
        *((row.layer, row.value, row.place) for row in explanation.layers),
    ]
    for layer, value, place in rows:
        mark = "→" if layer == (explanation.winner or "code") else " "
        say(f"{mark} {layer:<12}{_text(value)}" + (f"   ({place})" if place else ""))


def _text(value: object) -> str:
    if value is None:
        return "(not set)"
    return str(value).lower() if isinstance(value, bool) else str(value)


@command.command()
@environment_option("Check what is committed for this environment, without .env and variables.")
def check(environment: Environment | None) -> None:
    """Exit code 0, or 78 with every problem.

    Without --environment it checks all four layers of the environment that this process is in, as the API and a
    worker do when they start. Providers that would be left out there are told on standard error.
    """
    if environment is None:
        if faults := _start_faults():
            raise config.ConfigurationError(config.find_environment().environment.dynaconf, faults)
        settings = settings_for_servers()
        say(f"The configuration of {settings.environment.dynaconf} is in order.")
        if settings.environment.is_production and settings.api.public_url is None:
            say("api.public_url is empty: behind a proxy, the addresses of outputs may name the proxy.", err=True)
    else:
        config.check_committed(environment)
        say(f"What is committed for {environment.dynaconf} is in order.")


def _start_faults() -> tuple[config.Fault, ...]:
    """All for which an API or a worker would not start; where values cannot be read, these alone."""
    from genpulse.wiring.routes import model_faults

    faults = _faults_of(settings_for_servers)
    if _faults_of(lambda: settings_for_servers(())):
        return faults
    settings = settings_for_servers(())
    return (*faults, *_faults_of(lambda: config.check_worker(settings)), *model_faults(settings))


def _faults_of(check: Callable[[], object]) -> tuple[config.Fault, ...]:
    try:
        check()
    except config.ConfigurationError as error:
        return error.faults
    return ()


@command.command()
@_write_option
def example(write: Path | None) -> None:
    """A `.env.example` with every setting, made from the schema."""
    from genpulse.configuration.documents.example import example_text

    _give(example_text(), write)


@command.command()
@_write_option
def reference(write: Path | None) -> None:
    """Every setting as a page of documentation, made from the schema."""
    from genpulse.configuration.documents.reference import reference_text

    _give(reference_text(), write)


def _give(text: str, file: Path | None) -> None:
    if file is None:
        say(text, nl=False)
    else:
        write_text(file, text)

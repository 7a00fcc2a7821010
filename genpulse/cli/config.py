"""`genpulse config`: show, explain and check the configuration."""

import json
import os
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

import click

from genpulse import config
from genpulse.cli.environment_option import environment_option
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.file_names import write_text
from genpulse.cli.output.terminal import say
from genpulse.cli.stack import json_option
from genpulse.environment.table import Environment


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
    found = explain_all(None, os.environ)
    if as_json:
        values = {each.key: {"value": each.value, "from": each.winner or "code"} for each in found}
        say(json.dumps({"environment": resolved.environment.dynaconf, "settings": values}, indent=2))
        return
    say(f"environment = {resolved.environment.dynaconf}  ({resolved.decided_by})")
    for each in found:
        place = next((said.place for said in each.layers if said.layer == each.winner), "")
        say(f"{each.key} = {_text(each.value)}" + (f"  ({place})" if place else ""))


@command.command()
@click.argument("key")
@json_option
def explain(key: str, as_json: bool) -> None:
    """What each layer says about KEY (worker.batch, or GENPULSE_WORKER__BATCH), and which one wins."""
    from genpulse.configuration.documents.explanation import default_of
    from genpulse.configuration.documents.explanation import explain as explained
    from genpulse.configuration.documents.masking import shown
    from genpulse.configuration.sources.variables import variable_name

    config.tell(config.find_environment())
    found = explained(key, None, os.environ)
    if found is None:
        raise CommandRefused(_no_such(key))
    default = shown(found.key, default_of(found.known))
    if as_json:
        document = {
            "key": found.key,
            "value": found.value,
            "winner": found.winner or "code",
            "default": default,
            "layers": [asdict(said) for said in found.layers],
        }
        say(json.dumps(document, indent=2))
        return
    say(f"{found.key}   {found.known.kind}   {variable_name(found.key)}")
    say(f"  {found.known.meaning}")
    rows = [("code", default, ""), *((said.layer, said.value, said.place) for said in found.layers)]
    for layer, value, place in rows:
        mark = "→" if layer == (found.winner or "code") else " "
        say(f"{mark} {layer:<12}{_text(value)}" + (f"   ({place})" if place else ""))


def _text(value: object) -> str:
    if value is None:
        return "(not set)"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _no_such(key: str) -> str:
    from genpulse.configuration.schema import keys

    near = get_close_matches(key.lower(), [known.key for known in keys()], n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{key} is not a setting.{hint} `genpulse config show` lists all of them."


@command.command()
@environment_option("Check what is committed for this environment, without .env and variables.")
def check(environment: Environment | None) -> None:
    """Exit code 0, or 78 with every problem.

    Without --environment it checks all four layers of the environment that this process is in, as the API and a
    worker do when they start. Providers that would be left out there are told on standard error.
    """
    if environment is None:
        from genpulse.wiring.catalogue import open_catalogue

        settings = config.load()
        config.check_worker(settings)
        open_catalogue(settings)  # logs, as at a start, which providers are left out, and why
        say(f"The configuration of {settings.environment.dynaconf} is in order.")
        if settings.environment.is_production and settings.api.public_url is None:
            say("api.public_url is empty: behind a proxy, the addresses of outputs may name the proxy.", err=True)
    else:
        config.check_committed(environment)
        say(f"What is committed for {environment.dynaconf} is in order.")


@command.command()
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
def example(write: Path | None) -> None:
    """A `.env.example` with every setting, made from the schema."""
    from genpulse.configuration.documents.example import example_text

    _give(example_text(), write)


@command.command()
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
def reference(write: Path | None) -> None:
    """Every setting as a page of documentation, made from the schema."""
    from genpulse.configuration.documents.reference import reference_text

    _give(reference_text(), write)


def _give(text: str, file: Path | None) -> None:
    if file is None:
        say(text, nl=False)
    else:
        write_text(file, text)

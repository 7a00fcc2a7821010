"""`genpulse models check`: reads the files of models of all installed providers, and a team's folder."""

from datetime import UTC, datetime
from pathlib import Path

import click

from genpulse import config
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say
from genpulse.domain.kind import misspelt


@click.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def command(folder: Path | None) -> None:
    """Read the files of models of all installed providers, and those in FOLDER.

    Exit code 1 with every fault. A model whose vendor has shut it down by today, or whose kind looks misspelt, is
    named on standard error, and is no fault. Without FOLDER the configuration is not read: `genpulse config check`
    looks at `catalogue.folder` as a start does.
    """
    from genpulse.wiring.catalogue import check_model_files

    model_files = check_model_files(config.load(require=()) if folder else None, folder)
    if model_files.faults:
        raise CommandRefused(
            "Files of models do not hold:\n" + "\n".join(f"  - {line}" for line in model_files.faults)
        )
    today = datetime.now(UTC).date()
    for model_id, model in model_files.models:
        lifetime = model.facts.lifetime
        if lifetime.is_over(today):
            instead = f" {lifetime.successor} takes its place." if lifetime.successor else ""
            say(f"warning: {model_id} was shut down on {lifetime.sunset}: take it out.{instead}", err=True)
        for kind in model.kinds:
            if meant := misspelt(kind):
                say(f"warning: {model_id} does {kind!r}, which nobody knows. Did you mean {meant}?", err=True)
    say(f"{len(model_files.models)} models are in order.")

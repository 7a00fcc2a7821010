"""`genpulse flow stamp`: what is being built, for those who ask later what runs."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from genpulse.build import STAMP, write_stamp
from genpulse.cli.flow_options import json_option, repository_here, signed_option


@click.command("stamp")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it there. Default: into GenPulse itself.",
)
@signed_option
@json_option
def command(output: Path | None, signed: bool, as_json: bool) -> None:
    """Write commit, tag, version, tree and whether files were changed, while an image is built.

    Run it in the repository that is built, after GenPulse is installed in the image. /readyz, `genpulse doctor`
    and the first line of each log show it, and production starts only what carries a verified final tag.
    """
    from genpulse.branching.stamping import build_of

    build = build_of(repository_here(offline=True), signed=signed)
    write_stamp(build, output or STAMP)
    click.echo(json.dumps(asdict(build), indent=2) if as_json else f"Stamped: {build}.")

"""`genpulse flow stamp`: what is being built, for those who ask later what runs."""

from dataclasses import asdict
from pathlib import Path

import click

from genpulse.build import STAMP
from genpulse.cli.flow_options import json_option, offline_option, repository_here, say_json, signed_option


@click.command("stamp")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it there. Default: into GenPulse itself.",
)
@signed_option
@json_option
@offline_option
def command(output: Path | None, signed: bool, as_json: bool, offline: bool) -> None:
    """Write commit, tag, version, tree and whether files were changed, while an image is built.

    Run it in the repository that is built, after GenPulse is installed in the image, with the whole history. A
    final tag is verified, so the remote is asked; a build without a network says --offline. /readyz, `genpulse
    doctor` and the first line of each log show it, and production starts only what carries a verified final tag.
    """
    from genpulse.branching.stamping import build_of, put_stamp

    build = build_of(repository_here(offline=offline), signed=signed)
    put_stamp(build, output or STAMP)
    if as_json:
        say_json(asdict(build))
    else:
        click.echo(f"Stamped: {build}.")

"""`genpulse flow stamp`: write the build info of an image."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.git.repository import Repository
from genpulse.cli.flow.options import json_option, offline_option, repository_here, signed_option
from genpulse.cli.output.terminal import agreed, say, say_json
from genpulse.environment.build_info import BUILD_FILE, PACKAGE, Build


@click.command("stamp")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Write it into the GenPulse that is installed there: a virtual environment or a folder of packages.",
)
@click.option("--remove", is_flag=True, help="Take it back: from --output, from --into, else from this GenPulse.")
@click.option("--yes", is_flag=True, help="Write it into the GenPulse that runs this command, and do not ask.")
@signed_option
@json_option
@offline_option
def build_info_command(
    output: Path | None,
    into: Path | None,
    remove: bool,
    yes: bool,
    signed: bool,
    as_json: bool,
    offline: bool,
) -> None:
    """Write commit, tag, version, tree and repository, while an image is built.

    Run it in the repository whose image is built, with the whole history: its tag is the one that counts. A final
    tag is verified, so the remote is asked; a build without a network says --offline. /readyz, `genpulse doctor`,
    `genpulse env show` and the first line of each log show it, and production starts only what carries a verified
    final tag.

    Without --output and --into it goes into the GenPulse that runs this command, for everything that runs it. That
    is asked first; the recipe of an image says --yes.
    """
    if output is not None and into is not None:
        raise click.UsageError("--output and --into exclude each other.")
    from genpulse.branching.releases.installed_package import package_in

    package = package_in(into) if into is not None else PACKAGE
    if remove:
        _remove(output or package / BUILD_FILE.name, as_json=as_json)
        return
    from genpulse.branching.releases.build_info import build_of, write_build_file

    repository = repository_here(offline=offline)
    build = build_of(repository, signed=signed)
    if output is not None:
        write_build_file(build, output)
    else:
        build = _write_into_installed(repository, build, package, agreed=yes or into is not None)
    if as_json:
        say_json(asdict(build))
    else:
        say(f"Stamped: {build}.")


def _write_into_installed(repository: Repository, build: Build, package: Path, *, agreed: bool) -> Build:
    from genpulse.branching.releases.build_info import write_into_installed
    from genpulse.branching.releases.installed_package import demand_installed, is_of

    of_genpulse = is_of(repository)
    if of_genpulse:
        demand_installed(repository, package)
    if not agreed:
        _confirm(build, package, of_genpulse=of_genpulse)
    return write_into_installed(build, package)


def _confirm(build: Build, package: Path, *, of_genpulse: bool) -> None:
    """Let a person say yes. Raises `RepositoryUnfit` where there is none, and `Abort`."""
    if not sys.stdin.isatty():
        raise RepositoryUnfit(
            "stamp_not_confirmed",
            "Whoever changes an installed GenPulse says so.",
            f"{package} would be stamped as {build}, and nobody can be asked here.",
            "genpulse flow stamp --output build.json",
            "genpulse flow stamp --yes",
            note="--yes is for the recipe of an image: what runs this GenPulse is that build from then on.",
        )
    say(f"To be stamped: {package}\nas {build}.", err=True)
    if not of_genpulse:
        say("This repository is not GenPulse's: it is the product's tag that counts then.", err=True)
    say(
        "Whatever runs this GenPulse is that build from then on, in other folders too, and has to name ENV.",
        err=True,
    )
    if not agreed("Stamp it?"):
        raise click.Abort


def _remove(path: Path, *, as_json: bool) -> None:
    from genpulse.branching.releases.build_info import remove_build_file

    removed = remove_build_file(path)
    if as_json:
        say_json({"path": str(path), "removed": removed})
    elif removed:
        say(f"The stamp {path} is taken back: production starts what is there no more.")
    else:
        say(f"There is no stamp {path}.")

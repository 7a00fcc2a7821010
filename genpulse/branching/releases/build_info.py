"""The build info of a commit, as git knows it."""

import re
from pathlib import Path

from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.git.repository import Repository
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.versions import Version
from genpulse.environment.build_info import BUILD_FILE, Build, is_build_info, write_build_info, write_into_package

_LOGIN = re.compile(r"(://)[^/\s]*@")


def build_of(repository: Repository, *, signed: bool = False) -> Build:
    """The build info of the commit that is checked out.

    A final tag on it counts only when it is a verified release, and a candidate only when it was tagged on test.
    The remote is asked first, unless offline. Where there is no remote, or one without lanes, nothing is verified
    and no tag counts. Raises `ReleaseRefused` when a final tag is no release, `RepositoryUnfit` where the history
    or the lanes are not here to tell, and `GitFailed`.
    """
    commit = repository.git("rev-parse", "--verify", "HEAD^{commit}").line
    tree = repository.git("rev-parse", "--verify", "HEAD^{tree}").line
    version, last = _version_at(repository, commit, signed=signed) if _is_guarded(repository) else (None, "0.0.0")
    return Build(
        version=version.pep440 if version else f"{last}+{commit[:10]}",
        commit=commit,
        tree=tree,
        tag=version.tag if version else "",
        dirty=bool(repository.changed_files()),
        repository=_address(repository),
    )


def _address(repository: Repository) -> str:
    """The address of the remote without a login; empty without a remote."""
    if not repository.has_remote:
        return ""
    return _LOGIN.sub(r"\1", repository.git("remote", "get-url", "--", repository.remote).line)


def write_build_file(build: Build, path: Path) -> None:
    """Write the build info there, whole or not at all. Raises `RepositoryUnfit` where no file can be written."""
    try:
        write_build_info(build, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def write_into_installed(build: Build, package: Path) -> Build:
    """Write the build info into an installed GenPulse, for its files as they are. Raises `RepositoryUnfit`."""
    try:
        return write_into_package(build, package)
    except OSError as error:
        raise _unwritable(package / BUILD_FILE.name, error) from error


def _unwritable(path: Path, error: OSError) -> RepositoryUnfit:
    rule, finding = "The stamp is written where it was asked for.", f"{path}: {error.strerror}."
    note = "Make its folder, or name another file: --output FILE"
    return RepositoryUnfit("file_in_the_way", rule, finding, note=note)


def remove_build_file(path: Path) -> bool:
    """Remove a file of build info; False where there is none.

    Raises `RepositoryUnfit` where it cannot be removed, or is another file: of that it only goes by its name,
    `build.json`, where it is broken.
    """
    try:
        if path.name != BUILD_FILE.name and not is_build_info(path):
            rule, finding = "Nothing but a stamp is taken back.", f"{path} is another file."
            raise RepositoryUnfit("file_in_the_way", rule, finding, note="Name the stamp: --output FILE")
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        rule, finding = "A stamp can be taken back.", f"{path}: {error.strerror}."
        note = "Do it as the user whose file it is, where it may be written."
        raise RepositoryUnfit("file_in_the_way", rule, finding, note=note) from error
    return True


def _is_guarded(repository: Repository) -> bool:
    """Whether there is a remote with lanes; what it has is here afterwards."""
    if not repository.has_remote:
        return False
    demand_history(repository)
    repository.fetch()
    if repository.published is None:
        return True
    return all(lane.pattern in repository.published.heads for lane in repository.policy.lanes)


def _version_at(repository: Repository, commit: str, *, signed: bool) -> tuple[Version | None, str]:
    """The release that marks the commit, else its newest candidate; and the last release, as Python writes it."""
    marks = [version for version, ref in repository.refs.versions.items() if ref.commit == commit]
    finals = (version.pep440 for version in repository.known_versions if version.candidate is None)
    last = next(finals, "0.0.0")
    verifier = Verifier(repository, signed=signed)
    for version in marks:
        if version.candidate is None:
            return verifier.verify(version.tag).version, last
    return next((version for version in marks if verifier.is_proper_candidate(version)), None), last

"""What is being built, as git knows it."""

from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.repository import Repository
from genpulse.branching.verification import Verifier
from genpulse.branching.versions import Version
from genpulse.build import Build


def build_of(repository: Repository, *, signed: bool = False) -> Build:
    """The stamp of the commit that is checked out.

    A final tag on it counts only when it is a verified release, and a candidate only when it was tagged on test;
    without a remote and its lanes nothing is verified, and no tag counts. Raises `ReleaseRefused` when a final tag
    is no release.
    """
    commit = repository.git("rev-parse", "--verify", "HEAD^{commit}").line
    tree = repository.git("rev-parse", "--verify", "HEAD^{tree}").line
    try:
        version, last = _version_at(repository, commit, signed=signed), _last(repository)
    except RepositoryUnfit:
        version, last = None, "0.0.0"
    return Build(
        version=version.pep440 if version else f"{last}+{commit[:10]}",
        commit=commit,
        tree=tree,
        tag=version.tag if version else "",
        dirty=bool(repository.changed_files()),
    )


def _version_at(repository: Repository, commit: str, *, signed: bool) -> Version | None:
    """The release that marks the commit, else its newest candidate."""
    marks = [version for version, ref in repository.refs.versions.items() if ref.commit == commit]
    verifier = Verifier(repository, signed=signed)
    for version in marks:
        if version.candidate is None:
            return verifier.verify(version.tag).version
    return next((version for version in marks if verifier.is_proper_candidate(version)), None)


def _last(repository: Repository) -> str:
    finals = (version.pep440 for version in repository.refs.versions if version.candidate is None)
    return next(finals, "0.0.0")

"""Close a release that was begun and given up: its newest candidate gets a tag `vX.Y.Z-rc.N-withdrawn` beside it.

A published tag never goes. That a candidate counts no more is a fact of its own for everybody to see, and its name
is protected like those of versions. A later candidate opens the release again.
"""

from collections.abc import Iterable

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.git.tags import tag_here
from genpulse.branching.preconditions import demand_history
from genpulse.branching.rules.versions import Version, version_named, withdrawal_tag, withdrawn_by

_RULE = "What is withdrawn is the newest candidate of a release that is still open."


def withdraw(repository: Repository, version: str) -> Version:
    """Withdraw the newest candidate of this release, for everybody, and return it.

    Raises `ReleaseRefused` for a release that is out, that has no candidate, or that is withdrawn already;
    `NameRefused`, `RepositoryUnfit`, `GitFailed`.
    """
    release = version_named(version).final
    demand_history(repository)
    repository.fetch()
    if release in repository.known_versions:
        raise ReleaseRefused(
            "version_exists", _RULE, f"{release.tag} is released.", "genpulse flow release --list"
        )
    candidate = max((one for one in repository.versions if one.final == release), default=None)
    if candidate is None:
        raise ReleaseRefused(
            "candidate_missing", _RULE, f"{release.tag} has no candidate.", "genpulse flow status"
        )
    if candidate in withdrawn(repository.tag_names):
        raise ReleaseRefused(
            "candidate_withdrawn", _RULE, f"{candidate.tag} is withdrawn.", "genpulse flow status"
        )
    _publish(repository, candidate, tag_here(repository, candidate))
    return candidate


def withdrawn(names: Iterable[str]) -> frozenset[Version]:
    """The candidates that were withdrawn, by the names of all tags."""
    return frozenset(version for name in names if (version := withdrawn_by(name)))


def _publish(repository: Repository, candidate: Version, ref: Ref) -> None:
    """The tag here and on the remote, or neither."""
    name, message = withdrawal_tag(candidate), f"{candidate.tag} is withdrawn"
    repository.git("tag", "-s" if repository.signs_tags else "-a", "--message", message, "--", name, ref.commit)
    tag = repository.git("rev-parse", "--verify", f"refs/tags/{name}").line
    try:
        where = f"{tag}:refs/tags/{name}"
        repository.git.remotely("push", "--quiet", "--atomic", "--", repository.remote, where)
    except BaseException:
        repository.git("update-ref", "-d", f"refs/tags/{name}", tag)
        raise
    finally:
        repository.forget()

"""Set the version that packages declare: a change like any other, which comes into dev by a branch."""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.git.commits import commits_named
from genpulse.branching.git.process import Git
from genpulse.branching.git.refs import branch_at
from genpulse.branching.git.repository import Repository
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.declared_version import Declaration, declared_at
from genpulse.branching.rules.table import DEV, FIX
from genpulse.branching.rules.versions import Version, next_candidate, version_named
from genpulse.branching.topics.forks import push_remote
from genpulse.branching.topics.merging import MergeResult, merge_or_request


@dataclass(frozen=True, slots=True)
class VersionBump:
    """The version, the commit that sets it, its files, and how the change gets into dev."""

    version: Version
    commit: str
    files: tuple[str, ...]
    merge: MergeResult


def bump(repository: Repository, version: str | None = None, *, merge: bool = False) -> VersionBump:
    """Commit the version to a branch from dev's tip, and open its pull request or merge it. No file here changes.

    Without `version` it is that of the next candidate. Raises `ReleaseRefused`, `GitFailed` and the forge's error.
    """
    demand_history(repository)
    repository.fetch()
    target = next_candidate(repository.refs.tags, version_named(version) if version else None).final
    dev = repository.lane(DEV)
    wrong = [each for each in declared_at(repository, dev.commit) if each.version != target]
    if not wrong:
        dev_name = repository.row(DEV).pattern
        finding = f"nothing in {dev_name} declares another version than {target}."
        mend = "genpulse flow promote test"
        raise ReleaseRefused("declared_version_set", "A version is set once.", finding, mend)
    commit = _commit(repository, dev.commit, wrong, target)
    ref, files = branch_at(f"{FIX.prefix}version-{target}", commit), tuple(each.path for each in wrong)
    commits = commits_named(repository.git, [commit])
    to = "" if merge else push_remote(repository, ref.name)
    result = merge_or_request(repository, ref, DEV, commits[0].subject, commits, merge=merge, push_remote=to)
    return VersionBump(target, commit, files, result)


def _commit(repository: Repository, parent: str, files: Sequence[Declaration], version: Version) -> str:
    git = repository.git
    index = (git.folder / git("rev-parse", "--git-path", "flow-index").line).resolve()
    with_index = Git(git.folder, {**git.environment, "GIT_INDEX_FILE": str(index)})
    try:
        with_index("read-tree", parent)
        for file in files:
            blob = git("hash-object", "-w", "--stdin", stdin=file.set_to(version)).line
            with_index("update-index", "--cacheinfo", f"{file.mode},{blob},{file.path}")
        tree = with_index("write-tree").line
    finally:
        index.unlink(missing_ok=True)
    signed = ("-S",) if repository.signs_commits else ()
    return git("commit-tree", *signed, tree, "-p", parent, stdin=f"Set the version to {version}\n").line

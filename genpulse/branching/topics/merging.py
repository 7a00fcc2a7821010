"""Merges one branch into another: by a pull request, or by a merge commit made beside the work tree."""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.branching.git.commits import Commit
from genpulse.branching.git.process import Git
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.listing import listed
from genpulse.branching.rules.table import Branch

_LISTED = 100


@dataclass(frozen=True, slots=True)
class MergeResult:
    """A branch that is merged into another, or is to be: its commits, newest first, and how far the merge is.

    `url` is the pull request's address when it is `opened`, else the one at which a person opens it, empty where
    the remote has no pull requests. `merged` is the id of the merge commit, empty while there is none.
    """

    head: str
    commits: tuple[Commit, ...]
    url: str = ""
    opened: bool = False
    merged: str = ""


def merge_or_request(
    repository: Repository,
    head: Ref,
    base: Branch,
    title: str,
    commits: tuple[Commit, ...],
    *,
    merge: bool,
    push_remote: str = "",
) -> MergeResult:
    """Merge the head into the base on the remote with `merge`, else open its pull request.

    Raises `GitFailed` and the forge's error.
    """
    if merge:
        return MergeResult(head.name, commits, merged=join(repository, head, base))
    return open_request(repository, head, base, title, commits, push_remote)


def join(repository: Repository, source: Ref, target: Branch) -> str:
    """Merge into the target on the remote with a merge commit, and return it. The work tree is not touched.

    The remote refuses when the target moved on in the meantime: `GitFailed`, and nothing is changed anywhere.
    """
    base, into = repository.lane(target), repository.row(target).pattern
    tried = repository.try_merge(base.commit, source.commit)
    signed = ("-S",) if repository.signs_commits else ()
    parents = ("-p", base.commit, "-p", source.commit)
    message = f"Merge {source.name} into {into}\n"
    output = repository.git("commit-tree", *signed, *parents, tried.tree, stdin=message)
    where = f"{output.line}:refs/heads/{into}"
    repository.git.remotely("push", "--quiet", "--", repository.remote, where)
    repository.forget()
    return output.line


def open_request(
    repository: Repository,
    head: Ref,
    base: Branch,
    title: str,
    commits: tuple[Commit, ...],
    push_remote: str = "",
) -> MergeResult:
    """Push what is not there yet, and open the pull request or find the one that is open.

    `push_remote` is where the head goes, if that is another remote: a fork.

    Raises `GitFailed` and the forge's error.
    """
    from genpulse.branching.forges import PullRequestDraft, open_pull_request

    draft = PullRequestDraft(
        repository.remote,
        head.name,
        head.commit,
        repository.row(base).pattern,
        title,
        _body(commits),
        push_remote,
        is_lane=repository.policy.lane_named(head.name) is not None,
    )
    request = open_pull_request(Git(repository.root, repository.git.environment), draft)
    return MergeResult(head.name, commits, request.url, request.opened)


def _body(commits: Sequence[Commit]) -> str:
    own = [commit for commit in commits if not commit.is_merge]
    return listed([f"{commit.subject} ({commit.id[:9]})" for commit in own], _LISTED, "- ")

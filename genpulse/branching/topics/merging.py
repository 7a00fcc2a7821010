"""How one branch gets into another: by a pull request, or by a merge commit that is made beside the work tree."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genpulse.branching.git.commits import Commit
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.table import Branch

if TYPE_CHECKING:
    from genpulse.branching.forges import PullRequest

_SHOWN = 100


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
    commits: Sequence[Commit],
    push_remote: str = "",
) -> "PullRequest":
    """Push what is not there yet, and open the pull request or find the one that is open.

    `push_remote` is where the head goes, if that is another remote: a fork.

    Raises `GitFailed` and the forge's error.
    """
    from genpulse.branching.forges import open_pull_request

    own = [commit for commit in commits if not commit.is_merge]
    lines = [f"- {commit.subject} ({commit.id[:9]})" for commit in own[:_SHOWN]]
    if len(own) > _SHOWN:
        lines.append(f"- and {len(own) - _SHOWN} more")
    return open_pull_request(
        repository.root,
        repository.remote,
        head.name,
        head.commit,
        repository.row(base).pattern,
        title,
        "\n".join(lines),
        environment=repository.git.environment,
        push_remote=push_remote,
        is_lane=repository.policy.lane_named(head.name) is not None,
    )

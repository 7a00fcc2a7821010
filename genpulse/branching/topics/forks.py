"""The remote that topic branches are pushed to: that of the lanes, or a fork."""

from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.git.process import Git
from genpulse.branching.git.refs import Ref, branch_at
from genpulse.branching.git.repository import Repository


def push_remote(repository: Repository, name: str) -> str:
    """The remote that a topic of this name is pushed to.

    As git itself decides, with a word of the flow's own first: `flow.pushRemote`, `branch.<name>.pushRemote`,
    `remote.pushDefault`, else the remote of the lanes. Raises `RepositoryUnfit` for one that is not there.
    """
    for key in ("flow.pushRemote", f"branch.{name}.pushRemote", "remote.pushDefault"):
        setting = repository.setting(key)
        if setting:
            _demand_remote(repository.git, setting, key)
            return setting
    return repository.remote


def published(repository: Repository, name: str, remote: str) -> Ref | None:
    """The branch as it is on the remote that it is pushed to; None when it is not there.

    A fork is asked for this one branch, unless offline. Raises `GitFailed`.
    """
    if remote == repository.remote:
        return repository.refs.remote.get(name)
    full = f"refs/remotes/{remote}/{name}"
    if not repository.offline:
        branch = f"refs/heads/{name}"
        if not repository.git.remotely("ls-remote", "--quiet", "--", remote, branch).out:
            return None
        repository.git.remotely("fetch", "--quiet", "--no-tags", "--", remote, f"+{branch}:{full}")
    commit = repository.git("rev-parse", "--verify", "--quiet", full, ok=(0, 1)).line
    return branch_at(name, commit) if commit else None


def set_upstream(repository: Repository, name: str, remote: str) -> None:
    """Let `git push` and `git pull` know the branch's place, unless somebody has chosen another one.

    A lane is nobody's choice: `git switch -c feature/x origin/dev` sets it by itself.
    """
    git = repository.git
    lanes = {f"refs/heads/{lane.pattern}" for lane in repository.lanes}
    now = git("config", "--get", f"branch.{name}.merge", ok=(0, 1)).line
    if now and now not in lanes:
        return
    git("config", "--replace-all", f"branch.{name}.remote", remote)
    git("config", "--replace-all", f"branch.{name}.merge", f"refs/heads/{name}")


def _demand_remote(git: Git, name: str, key: str) -> None:
    if name.startswith("-") or git("remote", "get-url", "--", name, ok=(0, 2, 128)).code:
        rule, finding = (
            "A topic is pushed to a remote.",
            f"git config {key} is {name}, and there is no such remote.",
        )
        raise RepositoryUnfit("remote_missing", rule, finding, f"git config --unset {key}")

"""Opens pull requests, by whatever of a forge can be reached from here."""

from dataclasses import replace

from genpulse.branching.forges.address import Address, address_of
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.github import open_by_gh, open_by_rest
from genpulse.branching.forges.gitlab import has_glab, open_by_glab, open_by_push_options
from genpulse.branching.forges.request import PullRequest, PullRequestDraft
from genpulse.branching.git.process import Git

__all__ = ["ForgeError", "PullRequest", "PullRequestDraft", "open_pull_request"]


def open_pull_request(git: Git, draft: PullRequestDraft) -> PullRequest:
    """Push the commit as the branch `head`, and open a pull request or find the one that is open already.

    By `gh` or `glab` where they are installed; else by GitHub's REST with a token in GITHUB_TOKEN or GH_TOKEN;
    else by GitLab's push options, which work while something is pushed. Where there is none of these, a person
    has to open the address that is returned; it is empty for a remote that is no forge. Raises `ForgeError`,
    `GitFailed`.
    """
    address = address_of(git, draft.remote)
    draft = replace(draft, fork=_fork(git, address, draft.to))
    if address is not None and address.kind == "gitlab" and not has_glab(git):
        return open_by_push_options(git, address, draft)
    git.remotely("push", "--quiet", "--", draft.to, draft.refspec)
    if address is None:
        return PullRequest("", opened=False)
    if address.kind == "github":
        return open_by_gh(git, address, draft) or open_by_rest(git, address, draft) or _by_hand(address, draft)
    return (open_by_glab(git, address, draft) if address.kind == "gitlab" else None) or _by_hand(address, draft)


def _fork(git: Git, address: Address | None, to: str) -> str:
    """The path of the fork that is pushed to; empty when it is the base's own repository, or no forge."""
    there = address_of(git, to) if address else None
    return there.path if there and address and there != address else ""


def _by_hand(address: Address, draft: PullRequestDraft) -> PullRequest:
    return PullRequest(address.compare(draft.base, draft.qualified), opened=False)

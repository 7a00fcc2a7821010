"""Merge requests on GitLab, by `glab` or by push options (docs.gitlab.com, push options)."""

import re
import shutil

from genpulse.branching.errors import GitFailed
from genpulse.branching.forges.address import Address
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.program import said_by
from genpulse.branching.forges.request import PullRequest, Wanted
from genpulse.branching.git import Git

_REQUEST = re.compile(r"https?://\S+/merge_requests/\d+")


def has_glab(git: Git) -> bool:
    """Whether GitLab's own command is installed."""
    return shutil.which("glab", path=git.environment.get("PATH")) is not None


def open_by_glab(git: Git, address: Address, wanted: Wanted) -> PullRequest | None:
    """None when `glab` is not installed."""
    arguments = [
        "mr",
        "create",
        f"--repo={address.page}",
        f"--source-branch={wanted.head}",
        f"--target-branch={wanted.base}",
        f"--title={wanted.title}",
        f"--description={wanted.body}",
        "--yes",
    ]
    url = said_by("glab", arguments, git.folder, git.environment)
    return None if url is None else PullRequest(url or address.page, opened=True)


def open_by_push_options(git: Git, address: Address, wanted: Wanted) -> PullRequest:
    """GitLab opens a merge request while it takes a push; one that is open stays the only one.

    It does not look at the options when there was nothing to push; then a person has to open it.
    """
    options = [
        "merge_request.create",
        f"merge_request.target={wanted.base}",
        f"merge_request.title={_one_line(wanted.title)}",
    ]
    flags = [part for option in options for part in ("-o", option)]
    try:
        said = git.remotely("push", *flags, "--", wanted.remote, wanted.refspec)
    except GitFailed as error:
        mend = f"Open it by hand: {address.compare(wanted.base, wanted.head)}"
        raise ForgeError(f"GitLab did not take the push: {error.found}", mend) from error
    found = _REQUEST.search(said.err)
    if found:
        return PullRequest(found.group(), opened=True)
    return PullRequest(address.compare(wanted.base, wanted.head), opened=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())

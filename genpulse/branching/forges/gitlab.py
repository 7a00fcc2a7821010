"""Merge requests on GitLab, by `glab` or by push options (docs.gitlab.com, push options)."""

import re
import shutil

from genpulse.branching.errors import GitFailed
from genpulse.branching.forges.address import Address
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.program import said_by
from genpulse.branching.forges.request import PullRequest, Wanted
from genpulse.branching.forges.tokens import without_tokens
from genpulse.branching.git.process import Git

_PAGE = re.compile(r"https?://\S+/merge_requests/\d+")
_HEADS = "refs/merge-requests/"
_LONGEST = 8000
"""Characters of a description: one packet of git's protocol holds 65,516 bytes."""


def has_glab(git: Git) -> bool:
    """Whether GitLab's own command is installed."""
    return shutil.which("glab", path=git.environment.get("PATH")) is not None


def open_by_glab(git: Git, address: Address, wanted: Wanted) -> PullRequest | None:
    """None when `glab` is not installed. Raises `ForgeError`."""
    arguments = [
        "mr",
        "create",
        f"--repo={address.page}",
        f"--source-branch={wanted.head}",
        *([f"--head={wanted.fork}"] if wanted.fork else []),
        f"--target-branch={wanted.base}",
        f"--title={wanted.title}",
        f"--description={wanted.body}",
        "--yes",
    ]
    said = said_by("glab", arguments, git, by_hand=_page_of_new(address, wanted))
    if said is None:
        return None
    return PullRequest(said.url or _page(address, said.number), opened=True)


def open_by_push_options(git: Git, address: Address, wanted: Wanted) -> PullRequest:
    """GitLab opens a merge request while it takes a push; one that is open stays the only one.

    One that is there already keeps the title and description that people gave it. GitLab does not look at the
    options when there is nothing to push: then the topic branch's own merge request is returned, or the page on
    which a person opens one. Raises `ForgeError`, `GitFailed`.
    """
    before = _known(git, wanted)
    options = ["merge_request.create", f"merge_request.target={wanted.base}"]
    if wanted.fork:
        options.append(f"merge_request.target_project={address.path}")
    if not before:
        options += _words(wanted)
    flags = [part for option in options for part in ("-o", option)]
    by_hand = _page_of_new(address, wanted)
    try:
        said = git.remotely("push", *flags, "--", wanted.to, wanted.refspec)
    except GitFailed as error:
        found = without_tokens(f"GitLab did not take the push: {error.found}", git.environment)
        raise ForgeError(found, *error.mend, note=f"{error.note}\nOpen it by hand: {by_hand}") from error
    if page := _PAGE.search(said.err):
        return PullRequest(page.group(), opened=True)
    return PullRequest(_page(address, before), opened=True) if before else PullRequest(by_hand, opened=False)


def _known(git: Git, wanted: Wanted) -> str:
    """The number of the newest merge request whose head is where this branch is on the remote; empty for none.

    A lane's tip may also be the head of what was merged into it, so a lane is not looked up.
    """
    if wanted.is_lane:
        return ""
    branch = f"refs/heads/{wanted.head}"
    place = git("remote", "get-url", "--push", "--", wanted.to).line.partition("\n")[0]
    said = git.remotely("ls-remote", "--quiet", "--", place, branch, f"{_HEADS}*/head")
    rows = [line.partition("\t")[::2] for line in said.out.splitlines()]
    tip = next((commit for commit, ref in rows if ref == branch), None)
    numbers = [
        ref.removeprefix(_HEADS).partition("/")[0] for commit, ref in rows if commit == tip and ref != branch
    ]
    return max((number for number in numbers if number.isdecimal()), key=int, default="")


def _page_of_new(address: Address, wanted: Wanted) -> str:
    """Where a person opens one; out of a fork that is the fork's own page, which proposes the project it is of."""
    page = Address(address.kind, address.host, wanted.fork) if wanted.fork else address
    return page.compare(wanted.base, wanted.head)


def _words(wanted: Wanted) -> list[str]:
    """Title and description. A push option is one line, and GitLab shows `<br>` as its end."""
    words = [f"merge_request.title={' '.join(wanted.title.split())}"]
    lines = [line for line in wanted.body.splitlines() if line.strip()]
    return [*words, f"merge_request.description={'<br>'.join(lines)[:_LONGEST]}"] if lines else words


def _page(address: Address, number: str) -> str:
    return f"{address.page}/-/merge_requests/{number}" if number else f"{address.page}/-/merge_requests"

"""Merge requests on GitLab, by `glab` or by push options (docs.gitlab.com, push options)."""

import re
import shutil

from genpulse.branching.errors import GitFailed
from genpulse.branching.forges.address import Address
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.program import program_reply
from genpulse.branching.forges.request import PullRequest, PullRequestDraft
from genpulse.branching.forges.tokens import without_tokens
from genpulse.branching.git.process import Git

_PAGE = re.compile(r"https?://\S+/merge_requests/\d+")
_HEADS = "refs/merge-requests/"
_LONGEST = 8000
"""Characters of a description: one packet of git's protocol holds 65,516 bytes."""


def has_glab(git: Git) -> bool:
    """Whether GitLab's own command is installed."""
    return shutil.which("glab", path=git.environment.get("PATH")) is not None


def open_by_glab(git: Git, address: Address, draft: PullRequestDraft) -> PullRequest | None:
    """Open a merge request by `glab`; None when that is not installed. Raises `ForgeError`."""
    arguments = [
        "mr",
        "create",
        f"--repo={address.page}",
        f"--source-branch={draft.head}",
        *([f"--head={draft.fork}"] if draft.fork else []),
        f"--target-branch={draft.base}",
        f"--title={draft.title}",
        f"--description={draft.body}",
        "--yes",
    ]
    reply = program_reply("glab", arguments, git, by_hand=_page_of_new(address, draft))
    if reply is None:
        return None
    return PullRequest(reply.url or _page(address, reply.number), opened=True)


def open_by_push_options(git: Git, address: Address, draft: PullRequestDraft) -> PullRequest:
    """Push with options by which GitLab opens a merge request, unless one is open.

    One that is there already keeps the title and description that people gave it. GitLab does not look at the
    options when there is nothing to push: then the topic branch's own merge request is returned, or the page on
    which a person opens one. Raises `ForgeError`, `GitFailed`.
    """
    before = _open_request(git, draft)
    options = ["merge_request.create", f"merge_request.target={draft.base}"]
    if draft.fork:
        options.append(f"merge_request.target_project={address.path}")
    if not before:
        options += _words(draft)
    flags = [part for option in options for part in ("-o", option)]
    by_hand = _page_of_new(address, draft)
    try:
        output = git.remotely("push", *flags, "--", draft.to, draft.refspec)
    except GitFailed as error:
        finding = without_tokens(f"GitLab did not take the push: {error.found}", git.environment)
        raise ForgeError(finding, *error.mend, note=f"{error.note}\nOpen it by hand: {by_hand}") from error
    if page := _PAGE.search(output.err):
        return PullRequest(page.group(), opened=True)
    return PullRequest(_page(address, before), opened=True) if before else PullRequest(by_hand, opened=False)


def _open_request(git: Git, draft: PullRequestDraft) -> str:
    """The number of the newest merge request whose head is where this branch is on the remote; empty for none.

    A lane's tip may also be the head of what was merged into it, so a lane is not looked up.
    """
    if draft.is_lane:
        return ""
    branch = f"refs/heads/{draft.head}"
    place = git("remote", "get-url", "--push", "--", draft.to).line.partition("\n")[0]
    output = git.remotely("ls-remote", "--quiet", "--", place, branch, f"{_HEADS}*/head")
    rows = [line.partition("\t")[::2] for line in output.out.splitlines()]
    tip = next((commit for commit, ref in rows if ref == branch), None)
    numbers = [
        ref.removeprefix(_HEADS).partition("/")[0] for commit, ref in rows if commit == tip and ref != branch
    ]
    return max((number for number in numbers if number.isdecimal()), key=int, default="")


def _page_of_new(address: Address, draft: PullRequestDraft) -> str:
    """The page on which a person opens a merge request: of the fork, where there is one, else of the project."""
    page = Address(address.kind, address.host, draft.fork) if draft.fork else address
    return page.compare(draft.base, draft.head)


def _words(draft: PullRequestDraft) -> list[str]:
    """Title and description. A push option is one line, and GitLab shows `<br>` as its end."""
    words = [f"merge_request.title={' '.join(draft.title.split())}"]
    lines = [line for line in draft.body.splitlines() if line.strip()]
    return [*words, f"merge_request.description={'<br>'.join(lines)[:_LONGEST]}"] if lines else words


def _page(address: Address, number: str) -> str:
    return f"{address.page}/-/merge_requests/{number}" if number else f"{address.page}/-/merge_requests"

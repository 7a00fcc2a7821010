"""Pull requests on GitHub, by `gh` or by REST (docs.github.com, REST API, pulls)."""

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from genpulse.branching.forges.address import Address
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.program import program_reply
from genpulse.branching.forges.request import PullRequest, PullRequestDraft
from genpulse.branching.forges.rest import RestResponse, send_request
from genpulse.branching.forges.tokens import PUBLIC, github_token, without_tokens
from genpulse.branching.git.process import Git

_CREATED, _INVALID = 201, 422


def open_by_gh(git: Git, address: Address, draft: PullRequestDraft) -> PullRequest | None:
    """Open a pull request by `gh`; None when that is not installed. Raises `ForgeError`."""
    where = address.path if address.host == PUBLIC else f"{address.host}/{address.path}"
    arguments = [
        "pr",
        "create",
        f"--repo={where}",
        f"--head={draft.qualified}",
        f"--base={draft.base}",
        f"--title={draft.title}",
        f"--body={draft.body}",
    ]
    reply = program_reply("gh", arguments, git, by_hand=address.compare(draft.base, draft.qualified))
    return None if reply is None else PullRequest(reply.url or address.page, opened=True)


def open_by_rest(git: Git, address: Address, draft: PullRequestDraft) -> PullRequest | None:
    """Open a pull request by REST; None without a token. Raises `ForgeError`."""
    token = github_token(address.host, git.environment)
    if not token:
        return None
    pulls = f"{api_of(address, git.environment)}/repos/{address.path}/pulls"
    document = {"title": draft.title, "head": draft.qualified, "base": draft.base, "body": draft.body}
    response = send_request(pulls, token, document)
    url = _page(response.document) if response.status == _CREATED else ""
    if response.status == _INVALID and "already exists" in json.dumps(response.document):
        url = _open_already(pulls, token, address, draft)
    if url:
        return PullRequest(url, opened=True)
    finding = without_tokens(f"GitHub answered {response.status}: {_why(response.document)}", git.environment)
    raise ForgeError(finding, note=_note(response, address, draft))


def _open_already(pulls: str, token: str, address: Address, draft: PullRequestDraft) -> str:
    owner = (draft.fork or address.path).partition("/")[0]
    query = urllib.parse.urlencode({"state": "open", "head": f"{owner}:{draft.head}", "base": draft.base})
    open_pulls = send_request(f"{pulls}?{query}", token).document
    return _page(open_pulls[0]) if isinstance(open_pulls, list) and open_pulls else ""


def _page(document: Any) -> str:
    return str(document.get("html_url", "")) if isinstance(document, dict) else ""


def api_of(address: Address, environment: Mapping[str, str]) -> str:
    """The base URL of the API of a host of GitHub; GITHUB_API_URL overrides it."""
    if address_setting := environment.get("GITHUB_API_URL", "").strip():
        return address_setting.rstrip("/")
    return f"https://api.{PUBLIC}" if address.host == PUBLIC else f"https://{address.host}/api/v3"


def _why(document: Any) -> str:
    if not isinstance(document, dict):
        return "nothing that an API of GitHub says."
    errors = document.get("errors") or []
    messages = [str(each.get("message", "")) if isinstance(each, dict) else str(each) for each in errors]
    return " ".join([str(document.get("message", "")), *messages]).strip() or "without a reason."


def _note(response: RestResponse, address: Address, draft: PullRequestDraft) -> str:
    if response.location:
        return f"The repository moved to {response.location}: git remote set-url {draft.remote} <its address>"
    by_hand = f"Open it by hand: {address.compare(draft.base, draft.qualified)}"
    if response.status in {401, 403, 404}:
        return f"Give the token the right to write pull requests of {address.path}.\n{by_hand}"
    return by_hand

"""Pull requests on GitHub, by `gh` or by REST (docs.github.com, REST API, pulls)."""

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from genpulse.branching.forges.address import Address
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.program import said_by
from genpulse.branching.forges.request import PullRequest, Wanted
from genpulse.branching.forges.rest import Answer, asked
from genpulse.branching.forges.tokens import PUBLIC, github_token, without_tokens
from genpulse.branching.git.process import Git

_CREATED, _INVALID = 201, 422


def open_by_gh(git: Git, address: Address, wanted: Wanted) -> PullRequest | None:
    """None when `gh` is not installed. Raises `ForgeError`."""
    where = address.path if address.host == PUBLIC else f"{address.host}/{address.path}"
    arguments = [
        "pr",
        "create",
        f"--repo={where}",
        f"--head={wanted.qualified}",
        f"--base={wanted.base}",
        f"--title={wanted.title}",
        f"--body={wanted.body}",
    ]
    said = said_by("gh", arguments, git, by_hand=address.compare(wanted.base, wanted.qualified))
    return None if said is None else PullRequest(said.url or address.page, opened=True)


def open_by_rest(git: Git, address: Address, wanted: Wanted) -> PullRequest | None:
    """None without a token. Raises `ForgeError`."""
    token = github_token(address.host, git.environment)
    if not token:
        return None
    pulls = f"{api_of(address, git.environment)}/repos/{address.path}/pulls"
    document = {"title": wanted.title, "head": wanted.qualified, "base": wanted.base, "body": wanted.body}
    answer = asked(pulls, token, document)
    url = _page(answer.document) if answer.status == _CREATED else ""
    if answer.status == _INVALID and "already exists" in json.dumps(answer.document):
        url = _open_already(pulls, token, address, wanted)
    if url:
        return PullRequest(url, opened=True)
    found = without_tokens(f"GitHub answered {answer.status}: {_why(answer.document)}", git.environment)
    raise ForgeError(found, note=_note(answer, address, wanted))


def _open_already(pulls: str, token: str, address: Address, wanted: Wanted) -> str:
    owner = (wanted.fork or address.path).partition("/")[0]
    query = urllib.parse.urlencode({"state": "open", "head": f"{owner}:{wanted.head}", "base": wanted.base})
    known = asked(f"{pulls}?{query}", token).document
    return _page(known[0]) if isinstance(known, list) and known else ""


def _page(document: Any) -> str:
    return str(document.get("html_url", "")) if isinstance(document, dict) else ""


def api_of(address: Address, environment: Mapping[str, str]) -> str:
    """Where the API of a host of GitHub is; GITHUB_API_URL names another place."""
    if named := environment.get("GITHUB_API_URL", "").strip():
        return named.rstrip("/")
    return f"https://api.{PUBLIC}" if address.host == PUBLIC else f"https://{address.host}/api/v3"


def _why(document: Any) -> str:
    if not isinstance(document, dict):
        return "nothing that an API of GitHub says."
    errors = document.get("errors") or []
    said = [str(each.get("message", "")) if isinstance(each, dict) else str(each) for each in errors]
    return " ".join([str(document.get("message", "")), *said]).strip() or "without a reason."


def _note(answer: Answer, address: Address, wanted: Wanted) -> str:
    if answer.location:
        return f"The repository moved to {answer.location}: git remote set-url {wanted.remote} <its address>"
    by_hand = f"Open it by hand: {address.compare(wanted.base, wanted.qualified)}"
    if answer.status in {401, 403, 404}:
        return f"Give the token the right to write pull requests of {address.path}.\n{by_hand}"
    return by_hand

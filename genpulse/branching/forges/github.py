"""Pull requests on GitHub, by `gh` or by REST (docs.github.com, REST API, pulls)."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from genpulse.branching.forges.address import Address
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.program import said_by
from genpulse.branching.forges.request import PullRequest, Wanted
from genpulse.branching.git import Git

_PUBLIC = "github.com"
_SECONDS = 30
_CREATED, _INVALID = 201, 422


def open_by_gh(git: Git, address: Address, wanted: Wanted) -> PullRequest | None:
    """None when `gh` is not installed."""
    where = address.path if address.host == _PUBLIC else f"{address.host}/{address.path}"
    arguments = [
        "pr",
        "create",
        f"--repo={where}",
        f"--head={wanted.head}",
        f"--base={wanted.base}",
        f"--title={wanted.title}",
        f"--body={wanted.body}",
    ]
    url = said_by("gh", arguments, git.folder, git.environment)
    return None if url is None else PullRequest(url or address.page, opened=True)


def open_by_rest(git: Git, address: Address, wanted: Wanted) -> PullRequest | None:
    """None without a token."""
    token = git.environment.get("GITHUB_TOKEN") or git.environment.get("GH_TOKEN")
    if not token:
        return None
    pulls = f"{_api(address, git.environment)}/repos/{address.path}/pulls"
    document = {"title": wanted.title, "head": wanted.head, "base": wanted.base, "body": wanted.body}
    status, answer = _asked(pulls, token, document)
    if status == _CREATED:
        return PullRequest(str(answer["html_url"]), opened=True)
    if status == _INVALID and "already exists" in json.dumps(answer):
        owner = address.path.partition("/")[0]
        query = urllib.parse.urlencode({"state": "open", "head": f"{owner}:{wanted.head}", "base": wanted.base})
        _, known = _asked(f"{pulls}?{query}", token)
        if isinstance(known, list) and known:
            return PullRequest(str(known[0]["html_url"]), opened=True)
    raise ForgeError(f"GitHub answered {status}: {_why(answer)}", _mend(status, address, wanted))


def _api(address: Address, environment: Mapping[str, str]) -> str:
    if named := environment.get("GITHUB_API_URL"):
        return named.rstrip("/")
    return f"https://api.{_PUBLIC}" if address.host == _PUBLIC else f"https://{address.host}/api/v3"


def _asked(url: str, token: str, document: Mapping[str, str] | None = None) -> tuple[int, Any]:
    body = None if document is None else json.dumps(document).encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "Content-Type": "application/json",
        "User-Agent": "genpulse-flow",
    }
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - https, or what GITHUB_API_URL names
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.status, _document(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _document(error.read())
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ForgeError(f"GitHub does not answer: {reason}", "Try again, or open it by hand.") from error


def _document(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _why(answer: Any) -> str:
    if not isinstance(answer, dict):
        return "an answer that is no document"
    errors = [str(each.get("message", "")) for each in answer.get("errors", []) if isinstance(each, dict)]
    return " ".join([str(answer.get("message", "")), *errors]).strip() or "without a reason"


def _mend(status: int, address: Address, wanted: Wanted) -> str:
    if status in {401, 403, 404}:
        return f"Give the token the right to write pull requests of {address.path}, or unset GITHUB_TOKEN."
    return f"Open it by hand: {address.compare(wanted.base, wanted.head)}"

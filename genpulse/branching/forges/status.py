"""Whether a forge shows a status, or a check, of a commit as a success.

GitHub: combined statuses and check runs (docs.github.com, REST API, commits and checks). GitLab: statuses of a
commit (docs.gitlab.com, commits API).
"""

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.forges.address import Address, address_of
from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.github import api_of
from genpulse.branching.forges.rest import send_request
from genpulse.branching.forges.tokens import github_token, gitlab_token
from genpulse.branching.git.repository import Repository

_RULE = "A candidate goes to main when the forge shows its status as a success."
_OK = 200
_GOOD = "success"


def demand_status(repository: Repository, commit: str, name: str) -> None:
    """Raises `ReleaseRefused` when the newest status of this name is no success, or nobody can tell."""
    state = _newest(repository, commit, name)
    if state != _GOOD:
        what = f"is {state}" if state else "is not there"
        note = "It is set by the pipeline or by whoever tests the candidate."
        raise ReleaseRefused("approval_missing", _RULE, f"{name!r} of {commit[:9]} {what}.", note=note)


def _newest(repository: Repository, commit: str, name: str) -> str:
    address = address_of(repository.git, repository.remote)
    if repository.offline or address is None or address.kind == "other":
        why = "offline" if repository.offline else f"{repository.remote} is no forge whose statuses are known"
        raise _unknown(name, commit, f"{why}.")
    environment = repository.git.environment
    try:
        states = _github(address, commit, name, environment) if address.kind == "github" else None
        return next(states if states is not None else _gitlab(address, commit, name, environment), "")
    except ForgeError as error:
        raise _unknown(name, commit, error.found) from error


def _github(address: Address, commit: str, name: str, environment: Mapping[str, str]) -> Iterator[str]:
    token = github_token(address.host, environment)
    place = f"{api_of(address, environment)}/repos/{address.path}/commits/{commit}"
    for status in _rows(_get(f"{place}/status?per_page=100", token), "statuses"):
        if status.get("context") == name:
            yield str(status.get("state", ""))
    query = urllib.parse.urlencode({"check_name": name, "filter": "latest"})
    for check in _rows(_get(f"{place}/check-runs?{query}", token), "check_runs"):
        yield str(check.get("conclusion") or check.get("status", ""))


def _gitlab(address: Address, commit: str, name: str, environment: Mapping[str, str]) -> Iterator[str]:
    base = environment.get("CI_API_V4_URL", "").strip().rstrip("/") or f"https://{address.host}/api/v4"
    project = urllib.parse.quote(address.path, safe="")
    query = urllib.parse.urlencode({"name": name, "all": "false"})
    place = f"{base}/projects/{project}/repository/commits/{commit}/statuses?{query}"
    for status in _rows({"statuses": _get(place, gitlab_token(environment))}, "statuses"):
        yield str(status.get("status", ""))


def _get(url: str, token: str) -> Any:
    response = send_request(url, token)
    if response.status != _OK:
        raise ForgeError(f"the forge answered {response.status} to {urllib.parse.urlsplit(url).path}.")
    return response.document


def _rows(document: Any, key: str) -> Iterator[Mapping[str, Any]]:
    rows = document.get(key) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ForgeError("the forge answered nothing that its API says.")
    yield from (row for row in rows if isinstance(row, dict))


def _unknown(name: str, commit: str, why: str) -> ReleaseRefused:
    note = "Nobody could tell, so it is not approved. Give the job a token that reads statuses and checks."
    return ReleaseRefused("approval_unknown", _RULE, f"{name!r} of {commit[:9]}: {why}", note=note)

"""The page of errors: each code that a problem document may have, from the classes that raise it."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from genpulse.api.error_status import status_of
from genpulse.api.errors import Internal
from genpulse.domain.errors import GenPulseError, Refused, Unavailable
from website.pages import Page
from website.schema_words import cell

_Error = TypeVar("_Error", bound=GenPulseError)

ON_THE_COMMAND_LINE = frozenset({"database_in_use", "no_webhook_secret", "sealing_key_missing", "sealed_secret"})
"""Codes of what only commands do, beside the database."""
_OF_THE_ROUTER = {
    "not_found": (404, "Nothing lies at this path."),
    "method_not_allowed": (405, "The path does not take this method; `Allow` names those that it takes."),
}
_OPERATOR = frozenset(
    {"paid_provider_refused", "provider_not_configured", "budget_exceeded", "internal", "thumbnails_not_installed"}
)
_MEANINGS = {"internal": "A fault of ours, which nobody foresaw; its cause is in the log, under the request's id."}
_LATER = frozenset({"asset_in_use", "request_timeout"})
_AFTER_A_WAIT = frozenset({402, 429, 503})
_ABSTRACT = frozenset({Refused, Unavailable})
_HEAD = """# Errors

Made from the classes of the errors. What is listed here are **problems**: the answer to a call that was not done.
Nothing was accepted, and nothing is charged for it. Why a task that *was* accepted has ended is a **failure**,
where money may be involved: [failures and warnings](failures.md) has those codes, with what was charged and who
must act.

`code` is part of the API and stays; `detail` is for people and may change. "Again" says whether the same request
may work later.

| `code` | status | meaning | who must act | again |
|---|---|---|---|---|"""


def page() -> Page:
    """All codes of problems, with their statuses."""
    return Page("reference/errors.md", "\n".join(_lines()) + "\n")


def problem_codes() -> dict[str, list[int]]:
    """Every code that a problem document may have, with its statuses."""
    found = {code: [status] for code, (status, _) in _OF_THE_ROUTER.items()}
    for error in _problems():
        found.setdefault(error.code, []).append(_status(error))
    return {code: sorted(set(statuses)) for code, statuses in found.items()}


def _lines() -> Iterator[str]:
    yield _HEAD
    meanings = {code: meaning for code, (_, meaning) in _OF_THE_ROUTER.items()}
    for error in reversed(_problems()):
        meanings[error.code] = _MEANINGS.get(error.code) or _meaning(error)
    for code, statuses in sorted(problem_codes().items(), key=lambda row: (row[1], row[0])):
        who = "operator" if code in _OPERATOR or statuses[0] >= 500 else "caller"
        yield f"| `{code}` | {_listed(statuses)} | {cell(meanings[code])} | {who} | {_again(code, statuses[0])} |"


def _listed(statuses: Sequence[int]) -> str:
    return " or ".join(str(status) for status in statuses)


def _again(code: str, status: int) -> str:
    if status in _AFTER_A_WAIT:
        return "yes, after `Retry-After`"
    return "yes" if code in _LATER else "no"


def _problems() -> Sequence[type[Refused | Unavailable | Internal]]:
    """The classes that an answer may be made of, each after its base."""
    found: list[type[Refused | Unavailable | Internal]] = [*_below(Refused), *_below(Unavailable), Internal]
    return [
        error for error in found if error not in _ABSTRACT and error.code not in ON_THE_COMMAND_LINE | {"refused"}
    ]


def _below(root: type[_Error]) -> list[type[_Error]]:
    return [root, *(error for child in root.__subclasses__() for error in _below(child))]


def _status(error: type[Refused | Unavailable | Internal]) -> int:
    return status_of(error.__new__(error))


def _meaning(error: type[GenPulseError]) -> str:
    """The first sentence of what its class says."""
    return re.split(r"(?<=\.)\s", (error.__doc__ or "").strip())[0]

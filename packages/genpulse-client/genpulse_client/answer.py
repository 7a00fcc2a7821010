"""What an answer of the API means."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from genpulse_client.errors import ApiRefused, GenPulseError, UnexpectedAnswer

_SHOWN = 200


def document_of(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """The JSON of a success; None where it has no body. Raises `UnexpectedAnswer`."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        what = headers.get("content-type", "no content type")
        raise UnexpectedAnswer(
            f"What answers at {url} is not GenPulse: {status}, {what}: {_shown(body)}", status=status
        ) from error


def refusal_of(url: str, status: int, headers: Mapping[str, str], body: bytes) -> GenPulseError:
    """The error that an answer without success stands for."""
    if 300 <= status < 400:
        to = headers.get("location", "nowhere")
        return UnexpectedAnswer(
            f"{url} answers {status} and leads to {to[:_SHOWN]}, where no key is sent. Give the address of"
            " GenPulse itself.",
            status=status,
        )
    after = retry_after_s(headers.get("retry-after"))
    problem = _problem(body)
    if problem is None:
        said = f"{url} answered {status}: {_shown(body)} (no words of GenPulse: is that its address?)"
        return ApiRefused(said, code="unknown", status=status, retry_after_s=after)
    return ApiRefused(
        str(problem.get("detail") or problem.get("title") or f"refused with {status}"),
        code=str(problem.get("code", "unknown")),
        status=status,
        problem=problem,
        problems=_places(problem),
        retry_after_s=after,
    )


def retry_after_s(value: str | None) -> float | None:
    """Seconds from a Retry-After, which is a number or a date; None where it is neither."""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - datetime.now(timezone.utc)).total_seconds())


def _problem(body: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _places(problem: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = problem.get("errors")
    places = (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
    return tuple(
        (str(one.get("pointer") or one.get("parameter") or ""), str(one.get("detail", ""))) for one in places
    )


def _shown(body: bytes) -> str:
    """The beginning, in one line."""
    return " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())[:_SHOWN]

"""Money and counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genpulse_client.errors import UnexpectedAnswer


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of tasks and money, a row for each group. `document` is all that the API says."""

    rows: tuple[Mapping[str, Any], ...]
    document: Mapping[str, Any]


def usage_of(document: Any) -> Usage:
    """The usage from its JSON. Raises `UnexpectedAnswer`."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        raise UnexpectedAnswer("The answer is JSON, but no usage. Is the server older than this client?")
    return Usage(tuple(data), document)

"""Headers that say how long there will be a model: RFC 9745 and RFC 8594."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from urllib.parse import quote

from genpulse.domain.catalogue.lifetime import Lifetime

DEPRECATION_HEADERS: Iterable[tuple[str, str]] = (
    ("Deprecation", "`@N`: the Unix time from which the vendor advises against the task's model"),
    ("Sunset", "The time at which the vendor shuts the task's model down"),
    ("Link", '`rel="successor-version"`: the model that takes its place'),
)
"""For the OpenAPI document."""


def deprecation_headers(lifetime: Lifetime, base: str) -> dict[str, str]:
    """The headers of a response about a model. `base` is the address of this API, without a slash at its end."""
    headers: dict[str, str] = {}
    if lifetime.deprecated:
        headers["Deprecation"] = f"@{int(_begin_of(lifetime.deprecated).timestamp())}"
    if lifetime.sunset:
        headers["Sunset"] = format_datetime(_begin_of(lifetime.sunset), usegmt=True)
    if lifetime.successor:
        headers["Link"] = f'<{base}/v1/models/{quote(lifetime.successor)}>; rel="successor-version"'
    return headers


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)

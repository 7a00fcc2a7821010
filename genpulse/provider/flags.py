"""Vendors' flags on outputs, as warnings."""

import re
from collections.abc import Iterator

from genpulse.domain.json.value import JsonValue
from genpulse.domain.warning import TaskWarning, WarningCode

MOST = 20
"""So many flags are told of one result."""
_FLAG = re.compile(r"(^|_)(nsfw|unsafe|flagged|blurred|moderated|censored|content_?filtered)", re.IGNORECASE)
_SETTING = re.compile(
    r"^(allow|enable|disable|block|filter|check|skip)|_(filter|check|checker|enabled|allowed|threshold)$",
    re.IGNORECASE,
)
"""What a caller has set, and a vendor repeats."""


def flags_of(result: JsonValue) -> tuple[TaskWarning, ...]:
    """A warning for each mark that is set: `{"has_nsfw_concepts": [false, true]}` marks the output of index 1.

    A mark is a boolean, or a list of them, under a name that speaks of safety; a probability is none.
    """
    warnings = dict.fromkeys(
        TaskWarning(WarningCode.FLAGGED, f"The provider has marked what it made: {name}.", index)
        for name, index in _marks(result)
    )
    return tuple(warnings)[:MOST]


def _marks(result: JsonValue) -> Iterator[tuple[str, int | None]]:
    """Names of marks that are set, each with the place of what is marked. Deep results are no trouble."""
    waiting: list[tuple[JsonValue, int | None]] = [(result, None)]
    while waiting:
        value, index = waiting.pop()
        if isinstance(value, list):
            waiting += reversed([(inner, place) for place, inner in enumerate(value)])
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield from _marked(name, inner, index) if _is_flag(name) else ()
            waiting += reversed([(inner, index) for inner in value.values()])


def _is_flag(name: str) -> bool:
    return _FLAG.search(name) is not None and _SETTING.search(name) is None


def _marked(name: str, value: JsonValue, index: int | None) -> Iterator[tuple[str, int | None]]:
    if value is True:
        yield name[:100], index
    elif isinstance(value, list):
        yield from ((name[:100], place) for place, one in enumerate(value) if one is True)

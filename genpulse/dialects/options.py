"""Options of the doors."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DialectOptions:
    """`opened` are the names of the dialects that are spoken.

    `wait_s`: seconds for which a dialect holds a call until its task has ended, at most. `aliases`: for somebody's
    name of a model the id of one of ours, or the name of a route.
    """

    opened: frozenset[str] = frozenset()
    wait_s: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

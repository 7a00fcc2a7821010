"""Filters of lists, and how they are written in a query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

from genpulse_client.results.moment import moment_text
from genpulse_client.results.task import Status

Query: TypeAlias = tuple[tuple[str, str], ...]
Words: TypeAlias = str | Sequence[str] | None
"""One value, or several of which one has to fit. None is no filter; an empty text is one that the API refuses."""
Moment: TypeAlias = datetime | date | str | None
_FIELDS = ("status", "kind", "provider", "model", "code", "key", "batch", "ids", "id_prefix", "text")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks. All that is said has to fit; of several values of one field any may.

    `ids` are whole ids, `id_prefix` is how they begin, `code` is that of the error, `key` the API key's id or
    name, `batch` a batch's id. `text` is found in the input. `created_after` and `created_before` are times or
    dates. Raises `ValueError` for a list without values: as a filter it would leave nothing out, and mean all.
    """

    status: Status | Sequence[Status] | None = None
    kind: Words = None
    provider: Words = None
    model: Words = None
    code: Words = None
    key: Words = None
    batch: str | None = None
    ids: Sequence[str] | None = None
    id_prefix: str | None = None
    text: str | None = None
    metadata: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    created_after: Moment = None
    created_before: Moment = None

    def __post_init__(self) -> None:
        own = {f"metadata.{name}": values for name, values in self.metadata.items()}
        for name, values in ({name: getattr(self, name) for name in _FIELDS} | own).items():
            if values is not None and not isinstance(values, str) and not values:
                raise ValueError(f"{name} has no values, and no task fits that: leave it out, or ask for none.")

    def query(self) -> Query:
        """The parameters; a field with several values comes several times."""
        return tuple(self._pairs())

    def document(self) -> Mapping[str, Any]:
        """The same as a body has it."""
        several = {name: getattr(self, name) for name in _FIELDS if getattr(self, name) is not None}
        moments = {name: getattr(self, name) for name in ("created_after", "created_before")}
        return {
            **{name: value if isinstance(value, str) else list(value) for name, value in several.items()},
            **({"metadata": dict(self.metadata)} if self.metadata else {}),
            **{name: moment_text(moment) for name, moment in moments.items() if moment is not None},
        }

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in _FIELDS:
            for value in _several(getattr(self, name)):
                yield name, value
        for name, values in self.metadata.items():
            for value in _several(values):
                yield f"metadata.{name}", value
        for name in ("created_after", "created_before"):
            moment = getattr(self, name)
            if moment is not None:
                yield name, moment_text(moment)


def usage_query(since: Moment, until: Moment, group_by: Sequence[str]) -> Query:
    """The parameters of the usage."""
    times = (("from", since), ("to", until))
    told = tuple((name, moment_text(moment)) for name, moment in times if moment is not None)
    groups = ",".join([group_by] if isinstance(group_by, str) else group_by)
    return (*told, ("group_by", groups)) if groups else told


def _several(value: str | Sequence[str] | None) -> Sequence[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value

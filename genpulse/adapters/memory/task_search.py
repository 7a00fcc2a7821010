"""Which tasks of this process fit a filter."""

import re
from collections.abc import Iterable, Mapping, Sequence

from genpulse.domain.json.value import JsonValue
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import Task, TaskStatus

_WORD = re.compile(
    r"[\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]"
    r"|[^\W_\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]+"
)
"""A run of letters and digits, and each letter of scripts that put nothing between words."""
_LONGEST_TEXT, _LONGEST = 4000, 20_000
_LEAST_BEGINNING = 3


def is_beyond(task: Task, query: TaskQuery) -> bool:
    """Whether the task comes after the one behind which the page begins."""
    if query.before is None:
        return True
    return task.id > query.before if query.oldest_first else task.id < query.before


def fits(task: Task, wanted: TaskFilter) -> bool:
    """Whether the task is one of those that are meant."""
    return (
        (not wanted.statuses or task.status in wanted.statuses)
        and (not wanted.kinds or task.kind in wanted.kinds)
        and (not wanted.providers or task.provider in wanted.providers)
        and (not wanted.models or task.model in wanted.models)
        and (not wanted.owners or task.owner in wanted.owners)
        and (wanted.batch is None or task.batch_id == wanted.batch)
        and (not wanted.codes or _failed_so(task, wanted))
        and _is_named(task, wanted)
        and _came_then(task, wanted)
        and all(task.metadata.get(name) in values for name, values in wanted.metadata)
        and (not wanted.texts or _says_any(task, wanted.texts))
    )


def _failed_so(task: Task, wanted: TaskFilter) -> bool:
    return task.status is TaskStatus.FAILED and task.error is not None and task.error.code in wanted.codes


def _is_named(task: Task, wanted: TaskFilter) -> bool:
    return (not wanted.ids or task.id in wanted.ids) and (
        wanted.id_range is None or wanted.id_range[0] <= task.id <= wanted.id_range[1]
    )


def _came_then(task: Task, wanted: TaskFilter) -> bool:
    return (wanted.created_after is None or task.created_at >= wanted.created_after) and (
        wanted.created_before is None or task.created_at < wanted.created_before
    )


def _says_any(task: Task, texts: Sequence[str]) -> bool:
    said = (text[:_LONGEST_TEXT] for text in _texts(task.input) if not text.startswith("data:"))
    words = set(_words(" ".join(said)[:_LONGEST]))
    return any(_are_said(_words(text), words) for text in texts)


def _are_said(asked: Sequence[str], words: set[str]) -> bool:
    return bool(asked) and all(
        word in words or (len(word) >= _LEAST_BEGINNING and any(each.startswith(word) for each in words))
        for word in asked
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _texts(value: JsonValue | Mapping[str, JsonValue]) -> Iterable[str]:
    """Every text in it, without the names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)

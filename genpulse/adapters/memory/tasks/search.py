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


def fits(task: Task, task_filter: TaskFilter) -> bool:
    """Whether the task is one of those that are meant."""
    return (
        (not task_filter.statuses or task.status in task_filter.statuses)
        and (not task_filter.kinds or task.kind in task_filter.kinds)
        and (not task_filter.providers or task.provider in task_filter.providers)
        and (not task_filter.models or task.model in task_filter.models)
        and (not task_filter.owners or task.owner in task_filter.owners)
        and (task_filter.batch is None or task.batch_id == task_filter.batch)
        and (not task_filter.codes or _failed_so(task, task_filter))
        and _is_named(task, task_filter)
        and _came_then(task, task_filter)
        and all(task.metadata.get(name) in values for name, values in task_filter.metadata)
        and (not task_filter.texts or _says_any(task, task_filter.texts))
    )


def _failed_so(task: Task, task_filter: TaskFilter) -> bool:
    return task.status is TaskStatus.FAILED and task.error is not None and task.error.code in task_filter.codes


def _is_named(task: Task, task_filter: TaskFilter) -> bool:
    return (not task_filter.ids or task.id in task_filter.ids) and (
        task_filter.id_range is None or task_filter.id_range[0] <= task.id <= task_filter.id_range[1]
    )


def _came_then(task: Task, task_filter: TaskFilter) -> bool:
    return (task_filter.created_after is None or task.created_at >= task_filter.created_after) and (
        task_filter.created_before is None or task.created_at < task_filter.created_before
    )


def _says_any(task: Task, texts: Sequence[str]) -> bool:
    said = (text[:_LONGEST_TEXT] for text in _texts(task.input) if not text.startswith("data:"))
    words = set(_words(" ".join(said)[:_LONGEST]))
    return any(_are_said(_words(text), words) for text in texts)


def _are_said(query_words: Sequence[str], words: set[str]) -> bool:
    return bool(query_words) and all(
        word in words or (len(word) >= _LEAST_BEGINNING and any(each.startswith(word) for each in words))
        for word in query_words
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

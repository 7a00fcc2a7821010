"""Conditions on tasks, each so that an index fits, and the values that they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from genpulse.adapters.database.statements.columns import ONE_OF_MANY
from genpulse.domain.search.task_query import TaskFilter, ids_made_in
from genpulse.domain.task import TaskStatus

_OF_WORKERS = "id = ANY(ARRAY(SELECT task_id FROM queue WHERE worker IS NOT NULL))"
"""What runs is found by the entries of workers: it may lie behind a million that wait."""

_STATUS = {
    TaskStatus.QUEUED: "status = 'queued' AND finished_at IS NULL",
    TaskStatus.RUNNING: f"status = 'running' AND finished_at IS NULL AND {_OF_WORKERS}",
    TaskStatus.SUCCEEDED: "status = 'succeeded' AND finished_at IS NOT NULL AND error IS NULL",
    TaskStatus.FAILED: "status = 'failed' AND error IS NOT NULL",
    TaskStatus.CANCELED: "status = 'canceled' AND cancel_requested_at IS NOT NULL",
}


_FIRST_ID, _LAST_ID = UUID(int=0), UUID(int=(1 << 128) - 1)


ID = "id"
ID_OF_NO_INDEX = f"nullif(id, '{_FIRST_ID}')"
"""Beside words: the planner takes each for that of every 50th task, and would read all of a month for one."""


_CASELESS = r"\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff"
_SEEN = f"regexp_replace(word, '[^a-z0-9{_CASELESS}]', '{{}}', 'g')"
"""A letter that may be large or small elsewhere, and is none of ASCII, may be any."""
_BEGINS = r"CASE WHEN word ~ '^[a-z]' THEN '(^|[^a-z]|\\[bfnrt]|\\u00[01].)' ELSE '' END"
"""What may stand before a word in the text of a document: before letters of ASCII no other one of them, but in the
name of another sign. A sign of Chinese, Japanese or Korean is a word also right after a letter.
"""
_HAS_ODD_LETTERS = r"octet_length(input::text) <> char_length(input::text) AND input::text ~ '[\u0130\u212a]'"
"""Two letters beyond ASCII have small ones in it: the Turkish I with a dot, and the sign for Kelvin."""
_IS_LARGE = "pg_column_size(input) > 16384"
"""As it is kept. To take it apart leaves files out, and is done in a tenth of the time in which they are read."""


class Values:
    """What the places `$1`, `$2`, … of a statement stand for."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def put(self, value: object) -> str:
        """The place of a value."""
        self.given.append(value)
        return f"${len(self.given)}"


@dataclass(frozen=True, slots=True)
class IdRange:
    """From the first id that is meant to the last."""

    first: UUID = _FIRST_ID
    last: UUID = _LAST_ID

    def narrowed(self, first: UUID | None, last: UUID | None) -> "IdRange":
        """What of it is between these."""
        return IdRange(max(first or self.first, self.first), min(last or self.last, self.last))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a filter that has an index, in which it stands before the id.

    `column` is what the index knows, `more` what has to be said so that the index is thought of, and `of_index`
    the same where a pair is asked for: that a value is there follows from nothing else then.
    """

    column: str
    values: Sequence[str]
    more: str = ""
    of_index: str = ""

    def condition(self, values: Values) -> str:
        """That one of the values fits."""
        if len(self.values) == 1:
            return f"{self.column} = {values.put(self.values[0])}{self.more}"
        return f"{self.column} = ANY({values.put(list(self.values))}::text[]){self.more}"

    def ranges(self, values: Values, ids: IdRange) -> tuple[str, ...]:
        """For each value a condition on it and the ids, that goes with `order` and with that of no other index.

        The planner takes an equal value for one of the usual, and a range of ids for a two-hundredth of the table.
        Where it expects few rows it reads all that fit, to put them in order: of the one value that half of the
        table has it would read half. Of pairs it knows nothing, and so follows the index.
        """
        first, last = values.put(ids.first), values.put(ids.last)
        pair = f"({self.column}, id)"
        places = (values.put(value) for value in self.values)
        return tuple(
            f"{pair} >= ({place}, {first}::uuid) AND {pair} <= ({place}, {last}::uuid){self.more}{self.of_index}"
            for place in places
        )

    @property
    def order(self) -> str:
        """That of the index, for one value."""
        return f"{self.column} DESC, id DESC"


def fields(task_filter: TaskFilter) -> tuple[Field, ...]:
    """What the filter asks for, that which is likely to fit the fewest tasks first."""
    # Tasks of nobody are in no index by owner.
    of_somebody = "" if "" in task_filter.owners else " AND owner <> ''"
    every_field = (
        Field(
            "batch_id",
            (str(task_filter.batch),) if task_filter.batch else (),
            of_index=" AND batch_id IS NOT NULL",
        ),
        # What has an error has failed or is canceled. Of "failed" the planner would expect next to none.
        Field(
            "(error ->> 'code')", _unique(task_filter.codes), " AND status <> 'canceled'", " AND error IS NOT NULL"
        ),
        Field("owner", _unique(task_filter.owners), of_somebody),
        Field("model", _unique(task_filter.models)),
        Field("provider", _unique(task_filter.providers)),
        Field("kind", _unique(task_filter.kinds)),
    )
    return tuple(field for field in every_field if field.values)


def _unique(values: Sequence[str]) -> Sequence[str]:
    return [str(value) for value in dict.fromkeys(values)]


def statuses(task_filter: TaskFilter) -> tuple[str, ...]:
    """The condition for each status."""
    return tuple(_STATUS[status] for status in dict.fromkeys(task_filter.statuses))


def ids_meant(task_filter: TaskFilter) -> IdRange:
    """Between which ids all tasks of the filter are."""
    made = ids_made_in(task_filter.created_after, task_filter.created_before)
    return IdRange().narrowed(*made).narrowed(*(task_filter.id_range or (None, None)))


def moments(task_filter: TaskFilter, values: Values) -> tuple[str, ...]:
    """What is asked of moments, beside `ids_meant`, of what is not deleted.

    A pair with the first id there is says the same as the moment alone, and lets the planner expect many rows.
    """
    pair, first = "(created_at, id)", f"'{_FIRST_ID}'::uuid"
    conditions = ((">=", task_filter.created_after), ("<", task_filter.created_before))
    return (
        "deleted_at IS NULL",
        *(f"{pair} {sign} ({values.put(at)}, {first})" for sign, at in conditions if at is not None),
    )


def bounds(task_filter: TaskFilter, values: Values, id_is: str = ID) -> tuple[str, ...]:
    """What is asked of ids and moments, of what is not deleted: conditions that go with any order by id."""
    return ("deleted_at IS NULL", *bounds_of_all(task_filter, values, id_is))


def bounds_of_all(task_filter: TaskFilter, values: Values, id_is: str = ID) -> tuple[str, ...]:
    """The same of what is deleted, too."""
    lowest, highest = ids_made_in(task_filter.created_after, task_filter.created_before)
    ids = task_filter.id_range or (None, None)
    conditions = (
        ("id = ANY({}::uuid[])", list(task_filter.ids) or None),
        (f"{id_is} >= {{}}", ids[0]),
        (f"{id_is} <= {{}}", ids[1]),
        (f"{id_is} >= {{}}", lowest),
        (f"{id_is} <= {{}}", highest),
        ("created_at >= {}", task_filter.created_after),
        ("created_at < {}", task_filter.created_before),
    )
    return tuple(text.format(values.put(value)) for text, value in conditions if value is not None)


def contents(task_filter: TaskFilter, values: Values, *, is_planned: bool) -> tuple[str, ...]:
    """What is asked of metadata and inputs, by indexes that are in no order.

    With `is_planned` the planner sees the words that are asked for; else they are taken apart once a statement.
    """
    conditions = []
    for name, accepted in task_filter.metadata:
        each = " OR ".join(f"metadata @> {values.put({name: value})}" for value in dict.fromkeys(accepted))
        conditions.append(f"({each}) AND metadata <> '{{}}'")
    if task_filter.texts:
        texts = (f"{values.put(text)}::text" for text in dict.fromkeys(task_filter.texts))
        each = " OR ".join(f"({_says(text, is_planned=is_planned)})" for text in texts)
        conditions.append(f"({each}) AND input <> '{{}}'")
    return tuple(conditions)


def _says(text: str, *, is_planned: bool) -> str:
    """That an input has the words of a text. To take it apart takes long, so it is read as it stands before."""
    if is_planned:
        return f"task_words(input) @@ task_words_asked({text})"
    words = f"FROM unnest(tsvector_to_array(task_words(jsonb_build_array({text})))) AS word"
    said = 'lower(input::text COLLATE "C")'
    stands = f"{said} LIKE ALL ((SELECT array_agg('%' || {_SEEN.format('_')} || '%') {words})::text[])"
    begins = f"{said} ~ ALL ((SELECT array_agg({_BEGINS} || {_SEEN.format('.')}) {words})::text[])"
    is_seen = f"{_IS_LARGE} OR {stands} AND {begins} OR {_HAS_ODD_LETTERS}"
    return f"({is_seen}) AND task_words(input) @@ (SELECT task_words_asked({text}))"


def selected(conditions: Sequence[str], limit: str, columns: str = ONE_OF_MANY, order: str = "id DESC") -> str:
    """The newest tasks that fit all conditions."""
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return f"SELECT {columns} FROM tasks {where}ORDER BY {order} LIMIT {limit}"

"""From rows to orders: which model, which input, and under which key."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from genpulse.cli.generate.model_names import asked_as
from genpulse.cli.output.file_names import safe_name
from genpulse.cli.prompt_file.rows import BrokenRows, Row, RowProblem, read_json
from genpulse_client import Model, Order, Priority

WORDS = ("prompt", "text")
"""Fields of inputs in which a model's words stand."""
PRIORITIES: Mapping[str, Priority] = {"high": "high", "normal": "normal", "low": "low"}
_METADATA = "metadata."
_INPUT = "input."
_OWN = frozenset({"model", "kind", "priority", "deadline_s", "output"})
"""Columns that say something else than a field of the input."""
_SLUG = re.compile(r"[^\w]+")
_LONGEST_SLUG = 40
_KEY_DIGITS = 6


def results_name(stem: str) -> str:
    """The name of the file, below the folder, that says what became of the rows of a file with this stem."""
    return f"{stem}.results.jsonl"


@dataclass(frozen=True, slots=True)
class UsualOrder:
    """What holds for rows that say nothing else. Texts in the input are read as those of a table."""

    model: str
    kind: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The order of a row, its place among the rows from 1, and the name of its file below the folder.

    `key` is the same whenever the same row of the same run is submitted, wherever that is.
    """

    line: int
    place: int
    order: Order
    name: str

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.order.idempotency_key or ""


def models_of(rows: Sequence[Row], usual: UsualOrder) -> list[str]:
    """All models that rows ask for."""
    return list(dict.fromkeys(_model_of(row, usual) for row in rows))


def _model_of(row: Row, usual: UsualOrder) -> str:
    named = row.fields.get("model")
    return named.strip() if isinstance(named, str) else usual.model


def orders_of(
    path: Path, rows: Sequence[Row], models: Mapping[str, Model], usual: UsualOrder, run: str
) -> list[RowOrder]:
    """The orders of all rows. `run` tells these rows from those of another file. Raises `BrokenRows`."""
    reader = _RowReader(models, usual, run, PurePosixPath(results_name(path.stem)))
    problems: list[RowProblem] = []
    orders = []
    for place, row in enumerate(rows, 1):
        try:
            orders.append(reader.order(row, place, len(rows)))
        except _Unfit as unfit:
            problems.append(RowProblem(row.line, str(unfit)))
    if problems:
        raise BrokenRows(path, problems)
    return orders


class _Unfit(Exception):
    """What is wrong with a row."""


class _RowReader:
    """Reads one row after the other; the same row twice is two orders."""

    def __init__(self, models: Mapping[str, Model], usual: UsualOrder, run: str, results: PurePosixPath) -> None:
        self._models = models
        self._usual = usual
        self._run = run
        self._copies: Counter[str] = Counter()
        self._names = _Names()
        self._results = results

    def order(self, row: Row, place: int, count: int) -> RowOrder:
        """Raises `_Unfit`."""
        order = self._order(row)
        words = json.dumps([self._run, order.document()], sort_keys=True, ensure_ascii=False, allow_nan=False)
        self._copies[words] += 1
        digest = hashlib.sha256(f"{words}\n{self._copies[words]}".encode("utf-8", "surrogatepass")).hexdigest()
        key = f"row-{digest}"
        keyed = Order(
            order.model,
            order.input,
            order.kind,
            order.priority,
            deadline_s=order.deadline_s,
            metadata=order.metadata,
            idempotency_key=key,
        )
        name = self._output(row) or f"{place:0{len(str(count))}}-{_slug(order)}-{digest[:_KEY_DIGITS]}"
        return RowOrder(row.line, place, keyed, name)

    def _order(self, row: Row) -> Order:
        _refuse_strangers(row)
        name = _text(row, "model") or self._usual.model
        model = self._models.get(name)
        if model is None:
            raise _Unfit(f"model: there is no model {name!r}, and no such route; see genpulse models")
        kind = _text(row, "kind") or (self._usual.kind if name == self._usual.model else None) or model.kinds[0]
        if kind not in model.kinds:
            raise _Unfit(f"kind: {name} does not do {kind!r}; it does {', '.join(model.kinds)}")
        return Order(
            asked_as(name),
            self._input(row, model),
            kind,
            _priority(row),
            deadline_s=_deadline_s(row),
            metadata=_metadata(row),
        )

    def _input(self, row: Row, model: Model) -> Mapping[str, Any]:
        schema = model.input_schema
        usual = self._usual.input.items()
        fields = {name: typed(schema, name, value) if isinstance(value, str) else value for name, value in usual}
        for name, value in _inputs(row).items():
            place = _place(schema, name)
            fields[place] = typed(schema, place, value) if row.texts and isinstance(value, str) else value
        if not fields:
            raise _Unfit("it says nothing for the input")
        return fields

    def _output(self, row: Row) -> str | None:
        """The name that the row gives its file, made safe.

        Raises `_Unfit` for one outside of the folder, or of two rows.
        """
        name = _text(row, "output")
        if name is None:
            return None
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or not path.name or "\0" in name or ":" in path.parts[0]:
            raise _Unfit(f"output: {name!r} is no name of a file in the folder")
        path = PurePosixPath(*map(safe_name, path.parts))
        if str(path).casefold() == str(self._results).casefold():
            raise _Unfit(f"output: {name!r} is the file of the results")
        if first := self._names.claim(path, row.line):
            raise _Unfit(f"output: line {first} has that name already")
        return str(path)


class _Names:
    """Names that rows give their files. One without an ending gets it from what is made, and so may be any."""

    def __init__(self) -> None:
        self._whole: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._endless: dict[str, int] = {}

    def claim(self, path: PurePosixPath, line: int) -> int | None:
        """The line that has the name already, if one has."""
        whole, stem = str(path).casefold(), str(path.with_suffix("")).casefold()
        earlier_line = self._whole.get(whole) or self._endless.get(stem)
        if not path.suffix:
            earlier_line = earlier_line or self._stems.get(stem)
            self._endless.setdefault(stem, line)
        self._whole.setdefault(whole, line)
        self._stems.setdefault(stem, line)
        return earlier_line


def _refuse_strangers(row: Row) -> None:
    """Raises `_Unfit` for a row of JSON that gives no names."""
    if not all(isinstance(name, str) and name.strip() for name in row.fields):
        raise _Unfit("a field has no name")


def _inputs(row: Row) -> Mapping[str, object]:
    """The fields of the input; in JSON they may also stand in an object `input`."""
    nested = row.fields.get("input")
    fields: dict[str, object] = dict(nested) if isinstance(nested, dict) else {}
    for name, value in row.fields.items():
        if name.startswith(_INPUT):
            fields[name.removeprefix(_INPUT)] = value
        elif not _is_ours(name, value):
            fields[name] = value
    return fields


def _is_ours(name: str, value: object) -> bool:
    """Whether it says something else than a field of the input."""
    is_nested = name in {"input", "metadata"} and isinstance(value, dict)
    return is_nested or name in _OWN or name.startswith(_METADATA)


def _place(schema: Mapping[str, Any], name: str) -> str:
    """Where a prompt goes in a model that calls its words otherwise. Raises `_Unfit` for an unknown field."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    if name in properties or schema.get("additionalProperties") is not False:
        if name == WORDS[0] and name not in properties:
            return next((word for word in WORDS if word in properties), name)
        return name
    if name == WORDS[0] and (other := next((word for word in WORDS if word in properties), None)):
        return other
    raise _Unfit(f"{name}: the model has no such input; it has {', '.join(properties)}")


def typed(schema: Mapping[str, Any], name: str, text: str) -> object:
    """A cell as the schema wants it: words stay as they are, others are read as JSON. Raises `_Unfit`."""
    kinds = _kinds(schema, schema.get("properties", {}).get(name, {}))
    if "string" in kinds:
        return text
    try:
        return read_json(text.strip().lower() if kinds & {"boolean"} else text)
    except ValueError:
        if not kinds:
            return text
        raise _Unfit(f"{name}: {text[:60]!r} is no {' or '.join(sorted(kinds - {'null'}))}") from None


def _kinds(schema: Mapping[str, Any], field_schema: Mapping[str, Any]) -> set[str]:
    """The JSON types that a field may have; none where that is not said."""
    if reference := field_schema.get("$ref"):
        return _kinds(schema, schema.get("$defs", {}).get(str(reference).rpartition("/")[2], {}))
    kinds: set[str] = set()
    for option in (*field_schema.get("anyOf", ()), *field_schema.get("oneOf", ()), *field_schema.get("allOf", ())):
        kinds |= _kinds(schema, option)
    said = field_schema.get("type", ())
    kinds |= {said} if isinstance(said, str) else set(said)
    if not said:
        values = field_schema.get("enum", [field_schema["const"]] if "const" in field_schema else ())
        kinds |= {"string" for value in values if isinstance(value, str)}
    return kinds


def _text(row: Row, name: str) -> str | None:
    """Raises `_Unfit`."""
    value = row.fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise _Unfit(f"{name}: it should be a text")
    return value.strip()


def _priority(row: Row) -> Priority | None:
    """Raises `_Unfit`."""
    word = _text(row, "priority")
    if word is None:
        return None
    if word not in PRIORITIES:
        raise _Unfit(f"priority: {word!r} is none of {', '.join(PRIORITIES)}")
    return PRIORITIES[word]


def _deadline_s(row: Row) -> float | None:
    """Raises `_Unfit`."""
    value = row.fields.get("deadline_s")
    if value is None:
        return None
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise _Unfit(f"deadline_s: {value!r} is no number of seconds")
    return seconds


def _metadata(row: Row) -> Mapping[str, str]:
    """Columns `metadata.<name>`; in JSON they may also stand in an object `metadata`."""
    nested = row.fields.get("metadata")
    metadata = dict(nested) if isinstance(nested, dict) else {}
    for name, value in row.fields.items():
        if name.startswith(_METADATA) and value is not None:
            metadata[name.removeprefix(_METADATA)] = value
    return {str(name): str(value) for name, value in metadata.items()}


def _slug(order: Order) -> str:
    """Words of the prompt, for people."""
    words = next((str(order.input[name]) for name in WORDS if order.input.get(name)), "")
    slug = _SLUG.sub("-", words.lower()).strip("-_")[:_LONGEST_SLUG].rstrip("-")
    return slug or _SLUG.sub("-", str(order.model).rpartition("/")[2])

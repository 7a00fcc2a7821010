"""Rows of a file of prompts: CSV, JSON Lines, or a prompt a line."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.cli.errors import CommandRefused

SHOWN = 20
"""So many broken rows are told of at once."""
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """What a line of the file asks for. `texts` says that its values are words of a table, and no JSON."""

    line: int
    fields: Mapping[str, object]
    texts: bool = False


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a line."""

    line: int
    what: str


class BrokenRows(CommandRefused):
    """Lines of a file that cannot be submitted; nothing was."""

    def __init__(self, path: Path, problems: list[RowProblem]) -> None:
        lines = "".join(f"\n  {path}:{each.line}: {each.what}" for each in problems[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        many = "1 row does" if len(problems) == 1 else f"{len(problems)} rows do"
        super().__init__(f"{many} not fit, and nothing was submitted:{lines}{more}")


def rows_of(path: Path) -> list[Row]:
    """All rows of a file. Raises `BrokenRows`, and `CommandRefused` for a file that is none of these."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CommandRefused(f"{path} ends in none of {', '.join(_READERS)}: name it after what is in it.")
    read = list(reader(_text_of(path)))
    if problems := [each for each in read if isinstance(each, RowProblem)]:
        raise BrokenRows(path, problems)
    rows = [each for each in read if isinstance(each, Row)]
    if not rows:
        raise CommandRefused(f"There is no row in {path}.")
    return rows


def _text_of(path: Path) -> str:
    """Raises `CommandRefused`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandRefused(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CommandRefused(f"{path}:{line}: this is no UTF-8. Save the file as UTF-8.") from error


def _from_lines(text: str) -> Iterator[Row | RowProblem]:
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if line.strip():
            yield Row(number, {"prompt": line.strip()})


def _from_json_lines(text: str) -> Iterator[Row | RowProblem]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row | RowProblem:
    try:
        document = read_json(line)
    except ValueError as error:
        return RowProblem(number, f"this is no JSON: {error}")
    if not isinstance(document, dict):
        return RowProblem(number, 'this is no JSON object, such as {"prompt": "a red fox"}')
    return Row(number, document)


def read_json(text: str) -> object:
    """A value that can be sent as JSON again. Raises `ValueError`."""
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("its lists and objects stand too deep in each other") from None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Raises `ValueError` for a name that comes twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        doubled = next(name for name in members if sum(name == each for each, _ in pairs) > 1)
        raise ValueError(f"{doubled!r} is said twice")
    return members


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON")


def _finite(word: str) -> float:
    """Raises `ValueError` for a number beyond those that can be sent."""
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"{word} is too great a number")
    return number


def _from_table(text: str) -> Iterator[Row | RowProblem]:
    """The first line names the columns. A cell may hold several lines; a row is known by its first one."""
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda each: (head.count(each), -_DELIMITERS.index(each)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    begins_at = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield RowProblem(begins_at, _csv_fault(error))
            return
        if cells is None:
            return
        line, begins_at = begins_at, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [cell.strip() for cell in cells]
            if what := _bad_names(names):
                yield RowProblem(line, what)
                return
        elif len(cells) > len(names):
            yield RowProblem(line, f"it has {len(cells)} cells, and there are {len(names)} columns")
        else:
            named = zip(names, cells, strict=False)
            yield Row(line, {name: cell for name, cell in named if cell.strip()}, texts=True)


def _csv_fault(error: csv.Error) -> str:
    """In our words where a cell is too long, which the reader tells by its name alone."""
    if "field limit" not in str(error):
        return f"this is no CSV: {error}"
    return (
        f"a cell has more than {csv.field_size_limit():,} characters, the most that one may have. Is a quotation"
        " mark missing at its end? A picture is named by asset:<id>, as genpulse upload prints it"
    )


def _bad_names(names: list[str]) -> str:
    for name in names:
        if not name:
            return "a column has no name; the first line names all columns"
        if names.count(name) > 1:
            return f"two columns have the name {name!r}"
    return ""


_READERS: Mapping[str, Callable[[str], Iterator[Row | RowProblem]]] = {
    ".csv": _from_table,
    ".jsonl": _from_json_lines,
    ".txt": _from_lines,
}

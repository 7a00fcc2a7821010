"""Tables of the command line: whole in a pipe, and on a terminal as wide as that, without cutting anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.text import Text

from genpulse.cli.output.console import console
from genpulse.domain.text.storable import showable_line

_GAP = 2
_NARROWEST = 16
"""Columns of the terminal that a column of words gets at least."""
_LONGEST_WORD = 40
"""A longer one may be broken where words fold: it is no name of ours."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `rank` 0 always stays; where the terminal is too narrow, the highest rank is left out first.

    The words of one that `folds` go on in the next line. What stands in the others is never broken.
    """

    name: str
    rank: int = 0
    folds: bool = False
    style: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell, and its own style."""

    text: str
    style: str = ""


class Table:
    """Rows under the names of their columns. Texts of anybody may be put in."""

    def __init__(self, *columns: Column, headed: bool = True) -> None:
        self._columns = columns
        self._headed = headed
        self._rows: list[tuple[Cell, ...]] = []

    def add(self, *cells: str | Cell) -> None:
        """A row; a cell for each column."""
        new_cells = (cell if isinstance(cell, Cell) else Cell(cell) for cell in cells)
        self._rows.append(tuple(Cell(showable_line(cell.text), cell.style) for cell in new_cells))

    def laid_out(self, width: int | None) -> Text:
        """Lay the table out for a terminal of this width; None has no limit. What does not fold is never cut."""
        natural, least = self._natural(), self._least()
        places = self._fitting(least, width)
        widths = self._widths(natural, least, places, width)
        lines = [self._head(places, widths)] if self._headed else []
        for row in self._rows:
            lines += self._lines(row, places, widths)
        return Text("\n").join(lines)

    def left_out(self, width: int | None) -> tuple[str, ...]:
        """The names of the columns that do not fit into this width."""
        places = self._fitting(self._least(), width)
        return tuple(column.name for place, column in enumerate(self._columns) if place not in places)

    def _natural(self) -> list[int]:
        """How wide each column is where nothing folds."""
        headers = [cell_len(column.name) if self._headed else 0 for column in self._columns]
        return [
            max([header, *(cell_len(row[place].text) for row in self._rows)])
            for place, header in enumerate(headers)
        ]

    def _fitting(self, least: Sequence[int], width: int | None) -> list[int]:
        places = list(range(len(self._columns)))
        while width is not None and _whole([least[place] for place in places]) > width:
            least_wanted = max(places, key=lambda place: (self._columns[place].rank, place))
            if not self._columns[least_wanted].rank:
                break
            places.remove(least_wanted)
        return places

    def _widths(
        self, natural: Sequence[int], least: Sequence[int], places: Sequence[int], width: int | None
    ) -> list[int]:
        """The widest of those that fold gives way first."""
        widths = [natural[place] for place in places]
        while width is not None and _whole(widths) > width:
            wider = [number for number, place in enumerate(places) if widths[number] > least[place]]
            if not wider:
                break
            widths[max(wider, key=widths.__getitem__)] -= 1
        return widths

    def _least(self) -> list[int]:
        """How narrow each column may become."""
        return [
            self._narrowest(place) if column.folds else natural
            for place, (column, natural) in enumerate(zip(self._columns, self._natural(), strict=True))
        ]

    def _narrowest(self, place: int) -> int:
        words = [cell_len(word) for row in self._rows for word in row[place].text.split(" ")]
        whole = max([0, *(cell_len(row[place].text) for row in self._rows)])
        width = min(whole, max(_NARROWEST, min(max(words, default=0), _LONGEST_WORD)))
        return max(width, cell_len(self._columns[place].name) if self._headed else 0)

    def _head(self, places: Sequence[int], widths: Sequence[int]) -> Text:
        names = [Text(self._columns[place].name, style="bold") for place in places]
        return _line(names, widths)

    def _lines(self, row: Sequence[Cell], places: Sequence[int], widths: Sequence[int]) -> list[Text]:
        columns = []
        for place, width in zip(places, widths, strict=True):
            text, style = row[place].text, row[place].style or self._columns[place].style
            parts = _folded(text, width) if self._columns[place].folds else [text]
            columns.append([Text(part, style=style) for part in parts])
        height = max(map(len, columns), default=1)
        return [
            _line([parts[number] if number < len(parts) else Text() for parts in columns], widths)
            for number in range(height)
        ]


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def show_table(table: Table) -> None:
    """Print a table on standard output."""
    out = console()
    width = out.width if out.is_terminal else None
    out.print(table.laid_out(width), soft_wrap=True)
    if left_out := table.left_out(width):
        out.print(f"no room here for: {', '.join(left_out)}", style="dim", soft_wrap=True)


def _line(parts: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for number, (part, width) in enumerate(zip(parts, widths, strict=True)):
        line.append_text(part)
        if number < len(parts) - 1:
            line.append(" " * (max(width - part.cell_len, 0) + _GAP))
    line.rstrip()
    return line


def _folded(text: str, width: int) -> list[str]:
    """Lines of whole words, but for words that are wider than a line."""
    lines: list[str] = [""]
    for word in text.split(" "):
        first, *others = chop_cells(word, width) or [word]
        longer = f"{lines[-1]} {first}" if lines[-1] else first
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(first)
        lines += others
    return lines

"""Draws the state of lanes, topics and releases for the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rich.align import Align
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from genpulse.branching.errors import Refusal
from genpulse.branching.git.refs import Ref
from genpulse.branching.rules.table import Branch
from genpulse.branching.rules.versions import Version
from genpulse.branching.status import CheckedTag, FlowState, UnpromotedCommits
from genpulse.branching.topics.open_topics import Topic
from genpulse.cli.output.table import Cell, Column
from genpulse.cli.output.table import Table as WholeTable

_COLOURS = {"dev": "blue", "test": "yellow", "main": "green"}
_NARROW = 79
"""Columns below which the lanes stand under each other."""
_WIDEST = 34
_ARROW = 5
_SUBJECTS = 4
_TOPICS = 8
_INDENT = 2
_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def draw(state: FlowState, width: int, *, is_pipe: bool = False) -> RenderableType:
    """The lanes, what waits between them, work in progress, versions, violations. In a pipe rows are whole."""
    lanes = _side_by_side(state, width) if width >= _NARROW else _stacked(state)
    parts: list[RenderableType | None] = [
        lanes,
        *(_queue(waiting, state) for waiting in state.waiting if waiting.commits),
    ]
    parts += [_topics(state.topics, None if is_pipe else width - _INDENT), _versions(state)]
    parts += [_violations(state.violations), _notes(state.notes), Text(_foot(state), style="dim")]
    return Group(*(part for part in parts if part is not None))


def _side_by_side(state: FlowState, width: int) -> RenderableType:
    grid = Table.grid(expand=False)
    panel = min((width - (len(state.lanes) - 1) * _ARROW) // len(state.lanes), _WIDEST)
    cells: list[RenderableType] = []
    for place, (row, ref) in enumerate(state.lanes):
        if place:
            cells.append(Align(_arrow(state.waiting[place - 1], "══▶"), vertical="middle", height=6))
        cells.append(_panel(state, row, ref, panel))
    for _ in cells:
        grid.add_column(no_wrap=True)
    grid.add_row(*cells)
    return grid


def _stacked(state: FlowState) -> RenderableType:
    parts: list[RenderableType] = []
    for place, (row, ref) in enumerate(state.lanes):
        if place:
            parts.append(Padding(_arrow(state.waiting[place - 1], "▼"), (0, 0, 0, _WIDEST // 2 - 2)))
        parts.append(_panel(state, row, ref, _WIDEST))
    return Group(*parts)


def _arrow(waiting: UnpromotedCommits, shape: str) -> Text:
    number = len(waiting.commits)
    style = f"bold {_COLOURS[waiting.source.key]}" if number else "dim"
    return Text(f"{number or '':^{_ARROW}}\n{shape:^{_ARROW}}", style=style)


def _panel(state: FlowState, row: Branch, ref: Ref, width: int) -> Panel:
    colour = _COLOURS[row.key]
    lines = [
        Text(row.target, style=colour),
        Text(f"ENV={row.environment.name}  {row.stability}", style="dim"),
        Text(f"{ref.commit[:9]}  {_age(ref.when)}"),
        Text(ref.subject),
    ]
    for line in lines:
        line.truncate(width - 2, overflow="ellipsis")
    here = " ●" if state.current == row.pattern else ""
    marks = [
        mark.version.tag for mark in (state.release, state.candidate) if mark and mark.ref.commit == ref.commit
    ]
    title = Text(f" {row.pattern}{here} ", style=f"bold {colour}")
    return Panel(
        Group(*lines), title=title, subtitle=" ".join(marks) or None, border_style=colour, width=width, padding=0
    )


def _queue(waiting: UnpromotedCommits, state: FlowState) -> RenderableType:
    number, target = len(waiting.commits), waiting.target.pattern
    head = _copied(f"\n{number} waiting for {target}", style=f"bold {_COLOURS[waiting.target.key]}")
    head.append(f"   {_next_step(waiting, state)}", style="dim")
    text = Text()
    for commit in waiting.commits[:_SUBJECTS]:
        text.append(f"  {commit.id[:9]} ", style="dim").append(f"{commit.subject}\n")
    if number > _SUBJECTS:
        text.append(f"  and {number - _SUBJECTS} more\n", style="dim")
    text.rstrip()
    return Group(head, text)


def _next_step(waiting: UnpromotedCommits, state: FlowState) -> str:
    tip = next(ref for row, ref in state.lanes if row == waiting.source)
    tested = state.candidate is not None and state.candidate.ref.tree == tip.tree
    if waiting.source.tags == "candidate" and not tested:
        return "first a candidate: genpulse flow rc"
    return f"genpulse flow promote {waiting.target.pattern}"


def _topic_table(topics: Sequence[Topic]) -> WholeTable:
    table = WholeTable(
        Column("branch"), Column("ahead", rank=2), Column("age", rank=3), Column("where", rank=1), headed=False
    )
    for topic in topics[:_TOPICS]:
        ahead = f"{len(topic.commits)} commit{'' if len(topic.commits) == 1 else 's'}"
        name = Cell(topic.ref.name, "red" if topic.foreign else "")
        table.add(name, ahead, _age(topic.ref.when), Cell("" if topic.published else "not pushed", "dim"))
    return table


def _topics(topics: Sequence[Topic], width: int | None) -> RenderableType | None:
    if not topics:
        return None
    rows = _topic_table(topics).laid_out(width)
    head = Text(f"\n{len(topics)} open branch{'' if len(topics) == 1 else 'es'}", style="bold")
    rest = [Text(f"  and {len(topics) - _TOPICS} more", style="dim")] if len(topics) > _TOPICS else []
    return Group(head, *(_copied("  ").append_text(row) for row in rows.split()), *rest)


def _versions(state: FlowState) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for name, mark in (("last candidate", state.candidate), ("last release", state.release)):
        table.add_row(Text(name, style="bold"), *_mark(mark))
    return Group(Text(""), table, *_open(state.open))


def _open(candidates: Sequence[Version]) -> tuple[Text, ...]:
    """Where more than one release was begun, one of them may have been given up."""
    if len(candidates) < 2:
        return ()
    tags = ", ".join(candidate.tag for candidate in candidates)
    close = _copied(f"given up? genpulse flow rc --withdraw {candidates[0].final}", style="dim")
    return Text(f"{len(candidates)} releases are open: {tags}", style="bold"), close


def _mark(mark: CheckedTag | None) -> tuple[Text, ...]:
    if mark is None:
        return (Text("none yet", style="dim"),)
    standing = Text("✘ does not hold", style="red") if mark.refusal else Text("✔ verified", style="green")
    return Text(mark.version.tag), Text(f"{mark.ref.commit[:9]}  {_age(mark.ref.when)}", style="dim"), standing


def _violations(violations: Sequence[Refusal]) -> RenderableType | None:
    if not violations:
        return None
    number = f"\n{len(violations)} violation{'' if len(violations) == 1 else 's'}"
    parts = [Text(number, style="bold red")]
    for refusal in violations:
        rule, _, rest = str(replace(refusal, mend=())).partition("\n")
        parts.append(Text(f"✘ {rule}\n", style="red").append(rest, style="not red"))
        parts += [_copied(f"  {'mend:' if first else '':<6} {way}") for first, way in _marked(refusal.mend)]
    return Group(*parts)


def _marked(ways: Sequence[str]) -> Iterator[tuple[bool, str]]:
    return ((place == 0, way) for place, way in enumerate(ways))


def _copied(text: str, style: str = "") -> Text:
    """For a command: one that is broken at the terminal's edge is another one when it is pasted."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


def _notes(notes: Sequence[Refusal]) -> RenderableType | None:
    if not notes:
        return None
    return Text("\n" + "\n".join(f"{note.found}\n  {note.note}" for note in notes), style="dim")


def _foot(state: FlowState) -> str:
    if state.fetched is None:
        return f"\nAs this clone knows {state.remote}; ask it: genpulse flow status --fetch"
    return f"\nAs {state.remote} was {_age(state.fetched)}; ask it again: genpulse flow status --fetch"


def _age(seconds: float) -> str:
    passed = max(0.0, datetime.now(UTC).timestamp() - seconds)
    for length, unit in _STEPS:
        if passed >= length:
            return f"{passed / length:.0f} {unit} ago"
    return "just now"

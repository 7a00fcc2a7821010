"""Results as lines, as a table, as JSON, and as a page with plots."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.rounds import Curve, Goal, Result, Series

Results = Mapping[str, Result]
JSON = "performance.json"


def lines(name: str, result: Result) -> str:
    """One row, for the terminal."""
    found = [f"{name}: {result.title}"]
    found += [f"  {one.name:<24} {_spread(one)}" for one in result.series]
    found += [f"  {_spoken(goal)}" for goal in result.goals]
    return "\n".join([*found, f"  {result.note}"] if result.note else found)


def _spread(series: Series) -> str:
    low, high = min(series.figures), max(series.figures)
    return f"median {_number(series.median)} {series.unit}  (min {_number(low)}, max {_number(high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spoken(goal: Goal) -> str:
    word = {True: "met", False: "NOT MET", None: ""}[goal.is_met]
    bound = "stated" if goal.bound is None else f"{'≥' if goal.at_least else '≤'} {goal.bound:g}"
    return f"{goal.value:.2f} {goal.unit} {goal.what}  (goal {bound}) {word}".rstrip()


def table(results: Results) -> str:
    """Every row beside its goals, in Markdown."""
    head = ["| row | figures (median, min–max) | ratio or figure | goal | |", "|---|---|---|---|---|"]
    return "\n".join(head + [_line(result) for result in results.values()])


def _line(result: Result) -> str:
    figures = "<br>".join(f"{one.name}: {_short(one)}" for one in result.series)
    values = "<br>".join(f"{goal.value:.2f} {goal.unit} {goal.what}" for goal in result.goals)
    bounds = "<br>".join(
        "stated" if goal.bound is None else f"{'≥' if goal.at_least else '≤'} {goal.bound:g}"
        for goal in result.goals
    )
    met = "<br>".join({True: "met", False: "**not met**", None: ""}[goal.is_met] for goal in result.goals)
    return f"| {result.title} | {figures} | {values} | {bounds} | {met} |"


def _short(series: Series) -> str:
    low, high = min(series.figures), max(series.figures)
    return f"{_number(series.median)} ({_number(low)}–{_number(high)}) {series.unit}"


def document(results: Results) -> dict[str, Any]:
    """Everything, and the costs that were measured on the way."""
    costs = {name: value for result in results.values() for name, value in result.costs.items()}
    rows = {
        name: {**asdict(result), "goals": [{**asdict(goal), "met": goal.is_met} for goal in result.goals]}
        for name, result in results.items()
    }
    return {"rows": rows, "costs": costs}


def read(folder: str) -> dict[str, Result]:
    """What an earlier run wrote there."""
    path = Path(folder) / JSON
    rows: dict[str, Any] = json.loads(path.read_text())["rows"] if path.exists() else {}
    return {name: _result(row) for name, row in rows.items()}


def _result(row: dict[str, Any]) -> Result:
    series = tuple(Series(one["name"], one["unit"], tuple(one["figures"])) for one in row["series"])
    goals = tuple(
        Goal(*(one[name] for name in ("what", "value", "bound", "at_least", "unit"))) for one in row["goals"]
    )
    curves = tuple(
        Curve(one["name"], one["x_unit"], one["y_unit"], tuple((x, y) for x, y in one["points"]))
        for one in row.get("curves", ())
    )
    return Result(row["title"], series, goals, row["note"], row["costs"], curves)


def write_json(results: Results, path: str) -> None:
    """Write the figures."""
    Path(path).write_text(json.dumps(document(results), indent=1) + "\n")


def write_docs(results: Results, folder: str) -> None:
    """Write the page, the figures and a plot for each row."""
    from bench.plot import draw  # matplotlib is there for the bench alone

    place = Path(folder)
    plots = place / "performance"
    plots.mkdir(parents=True, exist_ok=True)
    sections = [INTRODUCTION.strip(), table(results)]
    for name, result in results.items():
        draw(result, plots / f"{name}.svg")
        note = f"{result.note}\n\n" if result.note else ""
        sections.append(f"## {result.title}\n\n{note}![{result.title}](performance/{name}.svg)")
    (place / "performance.md").write_text("\n\n".join(sections) + "\n")
    write_json(results, str(place / JSON))


INTRODUCTION = """
# Performance

Written by `make bench`. Each row starts a PostgreSQL that syncs every commit, a Redis with an append-only file and
real processes; warms up; and lets GenPulse and its floor or peer take turns (A B A B …). What counts is a ratio of
medians: absolute figures move from run to run and from machine to machine. The load comes from another process on
the same processors, which takes its part of them from everybody.
"""

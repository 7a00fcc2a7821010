"""One picture a row: the median of each figure, and from where to where it went."""

from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.rounds import Curve, Result, Series

_OURS, _SECOND, _OTHERS = "#1f6f78", "#c2703d", "#b9bfc4"
_PEERS = (
    "pgbench",
    "PgQueuer",
    "taskiq",
    "FastAPI",
    "without I/O",
    "cp",
    "boto3",
    "empty",
    "python -c",
    "usual",
    "aiohttp alone",
)

mpl.rcParams["svg.hashsalt"] = "genpulse"  # the same figures give the same file


def draw(result: Result, path: Path) -> None:
    """Write the picture: curves where there are some, else bars. Each unit of bars has an axis of its own."""
    if result.curves:
        _save(_curves(result.curves), result, path)
        return
    units = list(dict.fromkeys(series.unit for series in result.series))
    heights = [sum(series.unit == unit for series in result.series) for unit in units]
    figure = Figure(figsize=(7.5, 0.9 + 0.42 * len(result.series) + 0.5 * (len(units) - 1)), layout="constrained")
    axes = figure.subplots(len(units), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, unit in zip(axes, units, strict=True):
        _bars(axis, [series for series in result.series if series.unit == unit])
    _save(figure, result, path)


def _save(figure: Figure, result: Result, path: Path) -> None:
    figure.suptitle(result.title, fontsize=11)
    figure.savefig(path, metadata={"Date": None})


def _curves(curves: tuple[Curve, ...]) -> Figure:
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    axis = figure.subplots()
    for curve, colour in zip(curves, cycle((_OURS, _SECOND)), strict=False):
        axis.plot(*zip(*curve.points, strict=True), label=curve.name, color=colour, lw=1.4)
    axis.set_xlabel(curves[0].x_unit, fontsize=8)
    axis.set_ylabel(curves[0].y_unit, fontsize=8)
    axis.set_ylim(bottom=0)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    return figure


def _bars(axis, found: list[Series]) -> None:
    medians = [series.median for series in found]
    spread = [
        [series.median - min(series.figures) for series in found],
        [max(series.figures) - series.median for series in found],
    ]
    colours = [_OTHERS if any(peer in series.name for peer in _PEERS) else _OURS for series in found]
    axis.barh(range(len(found)), medians, xerr=spread, color=colours, height=0.6, error_kw={"lw": 1, "capsize": 2})
    axis.set_yticks(range(len(found)), [series.name for series in found], fontsize=9)
    axis.invert_yaxis()
    axis.set_xlabel("per second" if found[0].unit == "/s" else found[0].unit, fontsize=8)
    axis.tick_params(axis="x", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    for index, series in enumerate(found):
        text = f"{series.median:,.0f}" if series.median >= 100 else f"{series.median:.3g}"
        axis.annotate(
            text, (max(series.figures), index), (6, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.margins(x=0.12)

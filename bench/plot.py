"""One picture a row: the median of each figure, and from where to where it went."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.rounds import Result, Series

_OURS, _OTHERS = "#1f6f78", "#b9bfc4"
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
    """Write the picture. Figures of different units have an axis of their own."""
    units = list(dict.fromkeys(series.unit for series in result.series))
    heights = [sum(series.unit == unit for series in result.series) for unit in units]
    figure = Figure(figsize=(7.5, 0.9 + 0.42 * len(result.series) + 0.5 * (len(units) - 1)), layout="constrained")
    axes = figure.subplots(len(units), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, unit in zip(axes, units, strict=True):
        _bars(axis, [series for series in result.series if series.unit == unit])
    figure.suptitle(result.title, fontsize=11)
    figure.savefig(path, metadata={"Date": None})


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

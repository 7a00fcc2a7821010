"""`python -m bench.sim`: the knee of each layout, as a table and a picture in docs/explanation/scale.md."""

import argparse
import math
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.sim.layouts import LAYOUTS, Costs, Layout, capacities
from bench.sim.model import Outcome, outcome

_SHARES = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1)
_KEEPS_UP = 0.97
_STILL_QUICK = 3.0
_DAY_S = 86_400
_MARKS = re.compile(r"(<!-- simulated -->\n).*?(<!-- end -->)", re.DOTALL)

mpl.rcParams["svg.hashsalt"] = "genpulse"


def main() -> None:
    """Simulate every layout and write what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.sim")
    parser.add_argument("--costs", type=Path, default=Path("docs/reference/performance.json"))
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the table between its marks, and plot beside"
    )
    wanted = parser.parse_args()
    _check_against_theory()
    costs = Costs.read(wanted.costs)
    sweeps = {layout: _sweep(layout, costs) for layout in LAYOUTS}
    found = f"{_costs_table(costs)}\n\n{_table(sweeps, costs)}"
    print(found)
    if wanted.write:
        page = wanted.write.read_text()
        wanted.write.write_text(_MARKS.sub(lambda mark: f"{mark[1]}\n{found}\n\n{mark[2]}", page))
        _draw(sweeps, wanted.write.with_suffix(".svg"))


def _check_against_theory() -> None:
    """One queue before one server takes s / (1 - load) on average: a model that differs is wrong."""
    nothing = 1e-12
    alone = Costs(0.001, *([nothing] * 5), 0, 0, 0, 0, nothing)
    measured = outcome(Layout("one queue", 1, 1, 1), alone, 600, tasks=100_000).p50_s
    expected_p50 = 0.001 / (1 - 0.6) * math.log(2)
    if abs(measured / expected_p50 - 1) > 0.05:
        raise SystemExit(f"the model gives {measured:.6f} s where theory gives {expected_p50:.6f} s")


def _sweep(layout: Layout, costs: Costs) -> list[Outcome]:
    limit = min(capacities(layout, costs).values())
    return [outcome(layout, costs, limit * share) for share in _SHARES]


def _knee(sweep: list[Outcome]) -> Outcome:
    """The highest rate that is kept up with, while p99 is at most three times that of an idle installation."""
    good = [
        one
        for share, one in zip(_SHARES, sweep, strict=True)
        # At its capacity a queue grows without end, however short the simulation.
        if share < 1 and _keeps_up(one) and one.p99_s <= _STILL_QUICK * sweep[0].p99_s
    ]
    return good[-1]


def _keeps_up(one: Outcome) -> bool:
    return one.ended_per_s >= _KEEPS_UP * one.arrived_per_s


def _costs_table(costs: Costs) -> str:
    postgres_s = costs.postgres_submit_s + costs.postgres_run_s
    wal_kb = costs.wal_bytes / 1e3
    lines = [
        ("api", f"{costs.api_s * 1e6:,.0f} µs of a core"),
        ("worker", f"{costs.worker_s * 1e6:,.0f} µs of a core, and {costs.poll_s * 1e6:,.0f} µs for each poll"),
        (
            "PostgreSQL",
            f"{postgres_s * 1e6:,.0f} µs of a core, {costs.commits:.2f} commits, {wal_kb:.1f} kB of WAL",
        ),
        ("Redis", f"{costs.redis_s * 1e6:,.0f} µs of a core, {costs.redis_commands:.2f} commands"),
        ("state that stays", f"{costs.state_bytes / 1e3:.1f} kB in tables and indexes"),
    ]
    return "\n".join(["| a task costs | |", "|---|---|", *(f"| {part} | {cost} |" for part, cost in lines)])


def _table(sweeps: dict[Layout, list[Outcome]], costs: Costs) -> str:
    head = (
        "| layout | saturates first | then | knee, tasks a second | a day | p50, p99 at half of it | WAL "
        "| commits | commands of Redis | state a day |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *(_line(layout, sweep, costs) for layout, sweep in sweeps.items())])


def _line(layout: Layout, sweep: list[Outcome], costs: Costs) -> str:
    first, then = sorted(capacities(layout, costs).items(), key=lambda item: item[1])[:2]
    knee = _knee(sweep)
    half = min(sweep, key=lambda one: abs(one.arrived_per_s - knee.arrived_per_s / 2))
    rate = knee.arrived_per_s
    return (
        f"| {layout.name} | {first[0]}, at {first[1]:,.0f} | {then[0]}, at {then[1]:,.0f} | **{rate:,.0f}** "
        f"| {rate * _DAY_S / 1e6:,.0f} million | {half.p50_s * 1e3:.1f}, {half.p99_s * 1e3:.1f} ms "
        f"| {rate * costs.wal_bytes / 1e6:,.0f} MB/s | {rate * costs.commits:,.0f}/s "
        f"| {rate * costs.redis_commands:,.0f}/s | {rate * costs.state_bytes * _DAY_S / 1e9:,.0f} GB |"
    )


def _draw(sweeps: dict[Layout, list[Outcome]], path: Path) -> None:
    figure = Figure(figsize=(7.5, 5.2), layout="constrained")
    axis = figure.subplots()
    for layout, sweep in sweeps.items():
        line = axis.plot(
            [one.arrived_per_s for one in sweep],
            [one.p99_s * 1e3 for one in sweep],
            marker="o",
            ms=3,
            label=layout.name,
        )[0]
        knee = _knee(sweep)
        axis.plot(knee.arrived_per_s, knee.p99_s * 1e3, marker="o", ms=10, mfc="none", color=line.get_color())
    axis.set(xscale="log", yscale="log", xlabel="tasks a second", ylabel="what GenPulse adds to a task, p99, ms")
    figure.legend(fontsize=8, frameon=False, loc="outside lower center")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.2)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()

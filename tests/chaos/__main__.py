"""`make chaos`: the promise that nothing is lost and nothing paid twice, put to the test.

python -m tests.chaos [--tasks 10000] [--seed 7] [--every 5] [--workers 4] [--right-clocks] [--manners silent,…]
"""

import argparse
import asyncio
import os
import platform
import random
import sys
from pathlib import Path

from genpulse.dev.processes.child import Guard
from tests.chaos.figures import counted
from tests.chaos.rude import Manner
from tests.chaos.run import Plan, Report, run
from tests.chaos.unknown import table


def main() -> int:
    """Run it; 0 when every promise was kept."""
    plan = _plan(_arguments())
    print(f"seed {plan.seed}", file=sys.stderr, flush=True)
    guard = Guard()
    try:
        report = asyncio.run(run(plan, guard, lambda line: print(line, file=sys.stderr, flush=True)))
    finally:
        guard.close()
    print(text_of(report))
    return 0 if report.holds else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7, help="decides all faults and incidents; 0 draws one")
    parser.add_argument("--every", type=float, default=5.0, help="mean seconds between two incidents")
    parser.add_argument("--workers", type=int, default=4, help="the later half of them lives for 1 to 20 s")
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between two submits")
    parser.add_argument("--storm", type=float, default=0.0, help="seconds that the storm lasts at least")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds for everything to end afterwards")
    parser.add_argument("--right-clocks", action="store_true", help="no host's clock is wrong")
    manners = ",".join(Manner)
    parser.add_argument("--manners", default=manners, help=f"of rude receivers, of {manners}; empty for none")
    parser.add_argument("--log", type=Path, help="file to which the log of all processes is copied in the end")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    return Plan(
        asked.tasks,
        asked.seed or random.SystemRandom().randrange(1, 1_000_000),
        asked.every,
        asked.workers,
        pace_s=asked.pace,
        ends_within_s=asked.patience,
        storm_s=asked.storm,
        clocks=not asked.right_clocks,
        log=asked.log,
        manners=tuple(Manner(word) for word in asked.manners.split(",") if word),
    )


def text_of(report: Report) -> str:
    """The verdict in Markdown, with the machine's shape."""
    plan = report.plan
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"{plan.tasks:,} tasks, {plan.apis} APIs, {plan.workers} workers, seed {plan.seed}: {report.took_s:.0f} s",
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, Python {platform.python_version()}.",
        "",
        f"{report.incidents.total()} incidents: {counted(report.incidents)}.",
        "",
        *report.figures,
        "",
        "| promise | looked at | broken |",
        "|---|---:|---:|",
        *map(str, report.findings),
        "",
        "What was called unknown, and what it was by the vendor's books:",
        "",
        *table(report.unknowns),
    ]
    if not report.holds and plan.script is None:
        lines += ["", f"Again: {_again(plan)}"]
    return "\n".join(lines)


def _again(plan: Plan) -> str:
    words = (
        f"python -m tests.chaos --tasks {plan.tasks} --seed {plan.seed} --every {plan.every_s:g}"
        f" --workers {plan.workers} --pace {plan.pace_s:g} --storm {plan.storm_s:g}"
        f" --patience {plan.ends_within_s:g} --manners '{','.join(plan.manners)}'"
    )
    return words if plan.clocks else f"{words} --right-clocks"


if __name__ == "__main__":
    sys.exit(main())

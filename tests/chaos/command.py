"""The command line of every suite: a run, and its report in Markdown."""

import argparse
import asyncio
import os
import platform
import random
import sys
from pathlib import Path

from genpulse.dev.processes.child import Guard
from tests.chaos.figures import counted
from tests.chaos.plan import Plan
from tests.chaos.play import Suite
from tests.chaos.rude import Manner
from tests.chaos.run import Report, run


def main(suite: Suite) -> int:
    """Run it; 0 when every promise was kept."""
    plan = _plan(_arguments(suite))
    print(f"seed {plan.seed}", file=sys.stderr, flush=True)
    guard = Guard()
    try:
        report = asyncio.run(run(suite, plan, guard, lambda line: print(line, file=sys.stderr, flush=True)))
    finally:
        guard.close()
    print(text_of(report))
    return 0 if report.holds else 1


def _arguments(suite: Suite) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {suite.module}", description=suite.about)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7, help="decides all faults and incidents; 0 draws one")
    parser.add_argument("--every", type=float, default=5.0, help="mean seconds between two incidents")
    parser.add_argument("--workers", type=int, default=4, help="the later half of them lives for 1 to 20 s")
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between two submits")
    parser.add_argument("--storm", type=float, default=0.0, help="seconds that the storm lasts at least")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds for everything to end afterwards")
    parser.add_argument("--right-clocks", action="store_true", help="no host's clock is wrong")
    parser.add_argument("--log", type=Path, help="file to which the log of all processes is copied in the end")
    manners = ",".join(Manner)
    if suite.sends_messages:
        parser.add_argument("--manners", default=manners, help=f"of rude receivers, of {manners}; empty for none")
    else:
        parser.set_defaults(manners="")
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
    plan, audit = report.plan, report.audit
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"{plan.tasks:,} tasks, {plan.apis} APIs, {plan.workers} workers, seed {plan.seed}: {report.took_s:.0f} s",
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, Python {platform.python_version()}.",
        "",
        f"{report.incidents.total()} incidents: {counted(report.incidents)}.",
        "",
        *audit.figures,
        "",
        "| promise | looked at | broken |",
        "|---|---:|---:|",
        *map(str, audit.findings),
        "",
        *audit.tables,
    ]
    if not report.holds and plan.script is None:
        lines += ["", f"Again: {_again(report)}"]
    return "\n".join(lines)


def _again(report: Report) -> str:
    plan = report.plan
    words = (
        f"python -m {report.suite.module} --tasks {plan.tasks} --seed {plan.seed} --every {plan.every_s:g}"
        f" --workers {plan.workers} --pace {plan.pace_s:g} --storm {plan.storm_s:g}"
        f" --patience {plan.ends_within_s:g}"
    )
    if report.suite.sends_messages:
        words += f" --manners '{','.join(plan.manners)}'"
    return words if plan.clocks else f"{words} --right-clocks"

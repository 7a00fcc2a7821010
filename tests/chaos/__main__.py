"""`make chaos`: the promise that nothing is lost and nothing paid twice, put to the test.

python -m tests.chaos [--tasks 10000] [--seed 7] [--kill-every 8] [--workers 4]
"""

import argparse
import asyncio
import os
import platform
import sys

from genpulse.dev.child import Guard
from tests.chaos.run import Plan, Report, run


def main() -> int:
    """Run it; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7, help="decides faults and kills")
    parser.add_argument("--kill-every", type=float, default=8.0, help="mean seconds from kill to kill")
    parser.add_argument("--workers", type=int, default=4)
    asked = parser.parse_args()
    plan = Plan(asked.tasks, asked.seed, asked.kill_every, asked.workers)
    guard = Guard()
    try:
        report = asyncio.run(run(plan, guard, lambda line: print(line, file=sys.stderr, flush=True)))
    finally:
        guard.close()
    print(text_of(report))
    return 0 if report.holds else 1


def text_of(report: Report) -> str:
    """The verdict in Markdown, with the machine's shape."""
    plan = report.plan
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"{plan.tasks:,} tasks, {plan.apis} APIs, {plan.workers} workers, seed {plan.seed}: {report.took_s:.0f} s",
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, Python {platform.python_version()}.",
        "",
        f"Killed {report.killed.total()} times: {_counted(report.killed)}.",
        f"The caller was answered: {_counted(report.answers)}.",
        f"Tasks ended: {_counted(report.ends)}. Attempts: {_counted(report.attempts)}.",
        "",
        "| promise | looked at | broken |",
        "|---|---:|---:|",
        *map(str, report.findings),
    ]
    if not report.holds:
        lines += ["", f"Again: python -m tests.chaos --tasks {plan.tasks} --seed {plan.seed}"]
    return "\n".join(lines)


def _counted(counter: "dict[str, int]") -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counter.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    sys.exit(main())

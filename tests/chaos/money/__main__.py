"""`make chaos`, the second half: the ledger against the books of the shops, with routes and budgets.

python -m tests.chaos.money [--tasks 10000] [--seed 7] [--every 5] [--workers 4] [--right-clocks]
"""

import argparse
import asyncio
import random
import sys
from pathlib import Path

from genpulse.dev.processes.child import Guard
from tests.chaos.money.account_report import text_of
from tests.chaos.money.run import run
from tests.chaos.run import Plan


def main() -> int:
    """Run it; 0 when every promise was kept."""
    plan = _plan()
    print(f"seed {plan.seed}", file=sys.stderr, flush=True)
    guard = Guard()
    try:
        report = asyncio.run(run(plan, guard, lambda line: print(line, file=sys.stderr, flush=True)))
    finally:
        guard.close()
    print(text_of(report))
    return 0 if report.holds else 1


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.money", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7, help="decides all trades and incidents; 0 draws one")
    parser.add_argument("--every", type=float, default=5.0, help="mean seconds between two incidents")
    parser.add_argument("--workers", type=int, default=4, help="the later half of them lives for 1 to 20 s")
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between two submits")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds for everything to end afterwards")
    parser.add_argument("--right-clocks", action="store_true", help="no host's clock is wrong")
    parser.add_argument("--log", type=Path, help="file to which the log of all processes is copied in the end")
    asked = parser.parse_args()
    return Plan(
        asked.tasks,
        asked.seed or random.SystemRandom().randrange(1, 1_000_000),
        asked.every,
        asked.workers,
        pace_s=asked.pace,
        ends_within_s=asked.patience,
        clocks=not asked.right_clocks,
        log=asked.log,
    )


if __name__ == "__main__":
    sys.exit(main())

"""The command line: each failover several times, with the figures of all and their medians."""

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import median

from genpulse.dev.processes.child import Guard
from tests.chaos.command import text_of
from tests.chaos.failover.failing_tasks import FailingTasks, Outage, suite_of
from tests.chaos.failover.places import PLACES
from tests.chaos.plan import Plan
from tests.chaos.run import Report, run

BACK_S = 10.0
"""Seconds after the promotion within which calls are accepted and tasks succeed again."""
ENDS_WITHIN_S = 180.0
LOST_WITHIN_S = 20.0
"""Who watches a task that is lost would wait for ever."""
LOSES = "asynchronous"
"""Here tasks may be lost, and what of them is shown is not judged."""


def plan_of(kind: str, tasks: int, seed: int, log: Path | None = None) -> Plan:
    """One stroke, and no incident beside it: vendors are well, or their refusals would say how fast it goes."""
    return Plan(
        tasks,
        -seed,
        every_s=1.0,
        workers=2,
        pace_s=0.01,
        ends_within_s=LOST_WITHIN_S if kind == LOSES else ENDS_WITHIN_S,
        script=(),
        log=log,
        clocks=False,
        manners=(),
    )


async def failed_over(kind: str, plan: Plan, guard: Guard, say) -> tuple[Report, Outage]:
    """One failover, judged and measured."""
    plays: list[FailingTasks] = []
    report = await run(suite_of(PLACES[kind](), plays), plan, guard, say)
    outage = plays[0].outage
    assert outage is not None
    return report, outage


def main(words: list[str]) -> int:
    """0 when every promise was kept."""
    asked = _arguments(words)
    holds = True
    for kind in asked.kinds.split(","):
        outages = []
        for number in range(asked.rounds):
            guard = Guard()
            try:
                plan = plan_of(kind, asked.tasks, asked.seed + number, asked.log)
                report, outage = asyncio.run(failed_over(kind, plan, guard, _say))
            finally:
                guard.close()
            outages.append(outage)
            keeps = report.holds or kind == LOSES
            holds = holds and keeps and (outage.back_s <= BACK_S or kind == "storage")
            print(f"## {kind}, round {number + 1}: {outage}\n")
            if not report.holds or number == 0:
                print(text_of(report), flush=True)
        print(f"## {kind}: {_medians(outages)}\n", flush=True)
    return 0 if holds else 1


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos --failover", description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default=",".join(PLACES), help=f"of {','.join(PLACES)}")
    parser.add_argument("--log", type=Path, help="file to which the log of all processes is copied in the end")
    return parser.parse_args(words)


def _medians(outages: list[Outage]) -> str:
    return "medians: " + str(
        Outage(
            *(
                median(getattr(one, name) for one in outages)
                for name in ("calls_s", "replaced_s", "accepted_s", "worked_s")
            )
        )
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

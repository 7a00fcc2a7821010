"""`make crash-points`: every scenario, with every fault at every statement, and with pairs of faults.

python -m tests.crash_points [-j 2] [--lanes 6] [--pairs 1000] [--seed 7] [--only WORD] [--fault WORD] [--share 1]
                             [--for-s 3600]
"""

import argparse
import random
import sys
import time
from collections import Counter

from tests.crash_points.runner import Case, Report, drawn, pairs, single_faults, surveyed
from tests.crash_points.servers import Survey, on_a_server, played


def main() -> int:
    """Run it; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_points", description=__doc__)
    parser.add_argument("-j", type=int, default=2, help="processes, each with a PostgreSQL of its own")
    parser.add_argument("--lanes", type=int, default=6, help="cases at once in each process")
    parser.add_argument("--pairs", type=int, default=1000, help="how many pairs of faults are drawn")
    parser.add_argument("--seed", type=int, default=7, help="draws the pairs")
    parser.add_argument("--only", nargs="*", default=[], help="scenarios whose name has one of these words")
    parser.add_argument("--fault", nargs="*", default=[], help="faults whose name has one of these words")
    parser.add_argument("--share", type=float, default=1.0, help="play so much of the single faults, drawn")
    parser.add_argument("--for-s", type=float, help="begin no other case after so many seconds")
    asked = parser.parse_args()
    began = time.monotonic()
    dry = on_a_server(Survey(asked.lanes, tuple(asked.only)))
    surveys = surveyed(dry)
    cases = single_faults(surveys)
    if asked.fault:
        cases = [case for case in cases if any(word in case.injections[0][0].fault for word in asked.fault)]
    cases = drawn(cases, round(len(cases) * asked.share), asked.seed)
    cases += pairs(surveys, asked.pairs, asked.seed)
    random.Random(asked.seed).shuffle(cases)
    print(f"{len(cases)} cases", file=sys.stderr, flush=True)
    report = Report(surveys, [*dry, *played(cases, asked.j, asked.lanes, asked.for_s)])
    print(report)
    print(f"{time.monotonic() - began:.0f} s")
    print(_kinds(report))
    return 1 if report.broken else 0


def _kinds(report: Report) -> str:
    """The violations by what they say, most frequent first, each with a case that shows it."""
    counted: Counter[str] = Counter()
    example: dict[str, Case] = {}
    for result in report.broken:
        for words in set(result.broken):
            counted[words] += 1
            example.setdefault(words, result.case)
    return "\n".join(f"{count:5} {words}: {example[words]}" for words, count in counted.most_common())


if __name__ == "__main__":
    sys.exit(main())

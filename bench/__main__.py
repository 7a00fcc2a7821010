"""`make bench`: every row beside its floor or peer, as a table, as JSON, and with --write as documentation.

`python -m bench compare REF` measures another commit and this one by turns (`make bench-compare REF=…`).
"""

import argparse
import importlib
import sys

from bench import compare, report
from bench.rounds import Result
from bench.rows import LONG, NAMES
from bench.stack import Size, running

QUICK = Size(rounds=1, seconds=0.4, share=0.1)


def main() -> None:
    """Measure the named rows, or all of them; or compare with another commit."""
    if sys.argv[1:2] == ["compare"]:
        compare.main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument(
        "rows", nargs="*", help=f"of {', '.join(NAMES)}; all of these when none is named; and {', '.join(LONG)}"
    )
    parser.add_argument("--quick", action="store_true", help="one short round each: whether it runs, not how fast")
    parser.add_argument("--rounds", type=int, default=Size().rounds)
    parser.add_argument(
        "--share", type=float, default=Size().share, help="how much of the work is done (1.0 is all)"
    )
    parser.add_argument(
        "--write",
        metavar="FOLDER",
        help="write performance.md, performance.json and the plots; rows that were not named stay as they are",
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    wanted = parser.parse_args()
    if unknown := set(wanted.rows) - {*NAMES, *LONG}:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join((*NAMES, *LONG))}")
    size = QUICK if wanted.quick else Size(rounds=wanted.rounds, share=wanted.share)
    results = {name: _measured(name, size) for name in wanted.rows or NAMES}
    print(report.table(results))
    if wanted.json:
        report.write_json(results, wanted.json)
    if wanted.write:
        known = {**report.read(wanted.write), **results}
        report.write_docs({name: known[name] for name in (*NAMES, *LONG) if name in known}, wanted.write)


def _measured(name: str, size: Size) -> Result:
    row = importlib.import_module(f"bench.rows.{name}")
    with running(size) as stack:
        result: Result = row.measure(stack)
    print(report.lines(name, result), flush=True)
    return result


if __name__ == "__main__":
    main()

"""What upgrades do to tables and to others.

python -m tests.upgrades record      write what `db upgrade --plan` tells of each migration
python -m tests.upgrades measure     how long others wait for each one (--rows 5000000, --place FOLDER)
"""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.upgrades import records
from tests.upgrades.measurement import LIMIT_MS, line, measure, measured_database


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.upgrades", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("act", choices=("record", "measure"))
    parser.add_argument("--rows", type=int, default=5_000_000, help="tasks in the database that is measured")
    parser.add_argument(
        "--place", type=Path, help="the folder for its data: 3 kB a task; a temporary one by default"
    )
    given = parser.parse_args()
    with measured_database(given.place) as url:
        if given.act == "record":
            records.write(asyncio.run(records.seen(url)))
            print(f"Wrote {records.RECORDS}.")
            return 0
        steps = asyncio.run(measure(url, given.rows, lambda words: print(words, flush=True)))
    return _verdict(steps)


def _verdict(steps) -> int:
    print(f"\n{'beside':14}  {'lock':>11}  {'statement':>11}  {'took':>10}  {'count':>8}  dead  longest lock")
    for name, waits in steps.items():
        print(line(name, waits))
    slow = [name for name, waits in steps.items() if waits.longest_lock_ms > LIMIT_MS]
    print(f"Longer than {LIMIT_MS:g} ms: {', '.join(slow) or 'nothing'}.")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())

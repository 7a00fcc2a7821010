"""`python -m tests.upgrades record` writes what `db upgrade --plan` tells of each migration."""

import asyncio
import sys

from genpulse.dev.processes.child import Guard
from tests.laid_out import server_of
from tests.server_home import throw_away_home
from tests.upgrades import records


def main(arguments):
    if arguments != ["record"]:
        print(__doc__, file=sys.stderr)
        return 2
    guard = Guard()
    try:
        with throw_away_home() as home, server_of(home, guard) as server:
            records.write(asyncio.run(records.seen(server.url)))
    finally:
        guard.close()
    print(f"Wrote {records.RECORDS}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make chaos`, the second half: the ledger against the books of the shops, with routes and budgets.

python -m tests.chaos.money [--tasks 10000] [--seed 7] [--every 5] [--workers 4] [--right-clocks]
"""

import sys

from tests.chaos.command import main
from tests.chaos.money.bought_tasks import BOUGHT_TASKS

if __name__ == "__main__":
    sys.exit(main(BOUGHT_TASKS))

"""`make chaos`: the promise that nothing is lost and nothing paid twice, put to the test.

python -m tests.chaos [--tasks 10000] [--seed 7] [--every 5] [--workers 4] [--right-clocks] [--manners silent,…]
"""

import sys

from tests.chaos.command import main
from tests.chaos.told_tasks import TOLD_TASKS

if __name__ == "__main__":
    sys.exit(main(TOLD_TASKS))

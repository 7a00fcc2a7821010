"""`make chaos`: the promise that nothing is lost and nothing paid twice, put to the test.

python -m tests.chaos [--tasks 10000] [--seed 7] [--every 5] [--workers 4] [--right-clocks] [--manners silent,…]
python -m tests.chaos --failover [--tasks 2000] [--seed 7] [--rounds 3] [--kinds crash,switchover,redis,…]
"""

import sys

from tests.chaos.command import main
from tests.chaos.failover import command
from tests.chaos.told_tasks import TOLD_TASKS

_FAILOVER = "--failover"

if __name__ == "__main__":
    if _FAILOVER in sys.argv:
        sys.exit(command.main([word for word in sys.argv[1:] if word != _FAILOVER]))
    sys.exit(main(TOLD_TASKS))

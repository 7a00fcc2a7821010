"""`make odd-answers`: many more drawn answers than the ordinary tests have time for.

python -m tests.border [--examples 200] [--seed 0]
"""

import argparse
import os
import random
import sys
from pathlib import Path

import pytest

from tests.border.amount import EXAMPLES


def main() -> int:
    """0 when every promise was kept; what was not is named with what the vendor answered."""
    parser = argparse.ArgumentParser(prog="python -m tests.border", description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="batches of 8 to 24 odd vendors")
    parser.add_argument("--seed", type=int, default=0, help="decides what is drawn; 0 draws one")
    asked = parser.parse_args()
    seed = asked.seed or random.SystemRandom().randrange(1, 1_000_000)
    print(f"again: python -m tests.border --examples {asked.examples} --seed {seed}", file=sys.stderr, flush=True)
    os.environ[EXAMPLES] = str(asked.examples)
    words = ("-q", "-p", "no:cacheprovider", "--show-capture=no", "--timeout=0", f"--hypothesis-seed={seed}")
    return int(pytest.main([*words, str(Path(__file__).parent)]))


if __name__ == "__main__":
    sys.exit(main())

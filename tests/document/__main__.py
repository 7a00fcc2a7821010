"""`make api-document`: schemathesis against a whole `genpulse dev`, with more examples than the ordinary tests.

python -m tests.document [--examples 500] [--seed 0]
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.acceptance.dev_stack import Dev
from tests.document.schemathesis_run import command, environment


def main() -> int:
    """0 when every answer was what the document says."""
    parser = argparse.ArgumentParser(prog="python -m tests.document", description=__doc__)
    parser.add_argument("--examples", type=int, default=500, help="for each operation")
    parser.add_argument("--seed", type=int, default=0, help="decides what is drawn; 0 draws one")
    asked = parser.parse_args()
    seed = asked.seed or random.SystemRandom().randrange(1, 1_000_000)
    print(
        f"again: python -m tests.document --examples {asked.examples} --seed {seed}", file=sys.stderr, flush=True
    )
    with tempfile.TemporaryDirectory(prefix="genpulse-document-") as folder:
        dev = Dev(Path(folder), "--no-reload")
        try:
            dev.start()
            return _hold(dev, asked.examples, seed)
        finally:
            dev.ended()


def _hold(dev: Dev, examples: int, seed: int) -> int:
    made = dev.genpulse("keys", "create", "--name", "document", "--json")
    key = json.loads(made.stdout)["key"]
    run = command(dev.url, examples=examples, seed=seed)
    return subprocess.run(run, cwd=dev.folder, env=environment(key), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""How long `genpulse flow` takes in a repository of 5,000 commits and 200 open branches."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.rounds import Goal, Result, taking_turns
from bench.stack import Stack
from tests.integration.branching.clones import ENVIRONMENT, Clone, begun
from tests.integration.branching.growth import grown

FLOW = (sys.executable, "-m", "genpulse", "flow")
ROOT = Path(__file__).parents[2]


def measure(stack: Stack) -> Result:
    """The commands take turns with a git that counts all commits."""
    with tempfile.TemporaryDirectory() as home:
        clone = begun(Path(home))
        commits, branches = (max(1, round(number * stack.size.share)) for number in (5000, 200))
        clone.git("fast-import", "--quiet", "--force", stdin=grown(commits=commits, branches=branches))
        floor, status, check = taking_turns(
            {
                "git rev-list --count --all": lambda: _run(clone, "git", "rev-list", "--count", "--all"),
                "genpulse flow status": lambda: _run(clone, *FLOW, "status"),
                "genpulse flow check": lambda: _run(clone, *FLOW, "check", "--head", "dev", "--base", "test"),
            },
            stack.size.rounds,
            "s",
        )
    goals = (
        Goal("genpulse flow status", status.median, 1.0, at_least=False, unit="s"),
        Goal("genpulse flow check", check.median, 0.6, at_least=False, unit="s"),
    )
    return Result("a large repository", (floor, status, check), goals)


def _run(clone: Clone, *command: str) -> float:
    began = time.perf_counter()
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=clone.folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began

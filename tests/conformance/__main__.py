"""Runs the conformance checks of every provider and writes what they say as a table.

python -m tests.conformance docs/reference/providers.md
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from genpulse.cli.catalogue.reference import BEGIN, END, models_text, placed
from genpulse.testing import CHECKS
from tests.conformance.conftest import NOTES

_HEAD = f"""# Providers, their models, and the contract

{BEGIN}
{END}

## Held to the contract

Made by `make conformance` from a run of the conformance kit (`genpulse.testing`): each check runs real tasks
through a worker, over real HTTP, against a fake of the vendor that is put into the situation. Where a cell is
empty, the vendor gives no occasion for the check; the reasons are below.

"""


def main() -> int:
    """0 when every check of every provider holds; only then is the table written."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[NOTES] = folder
        code = pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).parent)])
        if code == 0:
            Path(sys.argv[1]).write_text(_text(Path(folder)))
    return int(code)


def _text(folder: Path) -> str:
    notes = {path.name: _read(path) for path in sorted(folder.iterdir())}
    lines = [f"| check | {' | '.join(notes)} |", f"|---|{'---|' * len(notes)}"]
    for check in CHECKS:
        cells = ["yes" if found.get(check.name) == "yes" else "" for found in notes.values()]
        lines.append(f"| {check.name} | {' | '.join(cells)} |")
    reasons = [
        f"- {provider}, {check}: {result.removeprefix('none: ')}"
        for provider, found in notes.items()
        for check, result in found.items()
        if result != "yes"
    ]
    return (
        placed(_HEAD, models_text())
        + "\n".join(lines)
        + "\n"
        + ("\n" + "\n".join(reasons) + "\n" if reasons else "")
    )


def _read(path: Path) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in path.read_text().splitlines())


if __name__ == "__main__":
    sys.exit(main())

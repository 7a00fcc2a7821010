"""Asks pip-audit about each lock file that is named; other arguments go on to it.

With hashes and without pip: what is looked at is what the lock says, and nothing is installed or resolved.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from audit.report import Report, judged

LOCKS = ("requirements.lock",)


def audited(program: str, lock: str, arguments: list[str]) -> Report:
    """What there is to say about one lock file."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "report.json"
        done = subprocess.run(
            [
                program,
                "--disable-pip",
                "--require-hashes",
                "--requirement",
                lock,
                "--format",
                "json",
                "--output",
                str(written),
                "--progress-spinner",
                "off",
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return judged(written.read_text() if written.exists() else "", done.stderr)


def main(program: str, *arguments: str) -> int:
    """Say it, and return the worst exit code."""
    worst = 0
    for lock in LOCKS:
        report = audited(program, lock, list(arguments))
        sys.stderr.write(f"{lock}: {report.words}\n")
        worst = max(worst, report.exit_code)
    return worst


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

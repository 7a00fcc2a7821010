"""The tools of `make ops`, and which of them are missing.

python -m tests.operations.tools
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / ".venv/ops/bin"
"""Filled by `make ops-tools` from deploy/requirements.lock."""
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
"""Debian keeps servers where only root looks."""
_HINTS = {
    "hadolint": "make ops-tools",
    "python": "make ops-tools",
    "promtool": "Debian's package prometheus has it: apt-get install prometheus",
    "caddy": "make ops-tools",
    "traefik": "make ops-tools",
    "nginx": "Debian's package nginx-light: apt-get install nginx-light",
    "haproxy": "Debian's package haproxy: apt-get install haproxy",
    "systemd-analyze": "apt-get install systemd",
    "git": "apt-get install git",
}


def path_of(name):
    """Where a tool is. Raises `LookupError` with how to get it."""
    found = (
        WHEELS / name if (WHEELS / name).exists() else shutil.which(name, path=PATH) if name != "python" else None
    )
    if found is None:
        raise LookupError(f"{name} is missing: {_HINTS[name]}")
    return str(found)


def main():
    missing = []
    for name in _HINTS:
        try:
            print(f"  {name}\t{path_of(name)}".expandtabs(12))
        except LookupError as error:
            missing.append(str(error))
    for line in missing:
        print(f"  {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

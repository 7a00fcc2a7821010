"""In which pieces tests are handed to the processes of a run, and with which it begins: those that mostly wait.

They begin together and overlap. One that began at the end would keep a process busy while all others are done.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

_MOST = 64
"""So many tests go to one process at a time: they share what is set up, and all processes end about together."""

_SECONDS = {
    "acceptance/test_demo.py": 23,
    "acceptance/test_dev.py": 82,
    "acceptance/test_dev_services.py": 12,
    "acceptance/test_dev_verbs.py": 20,
    "acceptance/test_doctor.py": 14,
    "acceptance/test_example_provider.py": 42,
    "acceptance/test_foreign_folders.py": 17,
    "acceptance/test_isolation.py": 33,
    "acceptance/test_keys.py": 15,
    "acceptance/test_outages.py": 25,
    "acceptance/test_packages.py": 15,
    "acceptance/test_scale_out.py": 31,
    "acceptance/test_secrets.py": 22,
    "acceptance/test_webhooks.py": 21,
    "acceptance/test_wheel.py": 35,
    "border/test_odd_answers.py": 13,
    "chaos/money/test_short.py": 25,
    "chaos/test_short.py": 37,
    "contract/test_storage.py": 31,
    "integration/api/client/test_typescript.py": 14,
    "integration/api/test_document.py": 25,
}
"""How long the files take that hold a test of many seconds, or share a server that takes as long to start.

It only has to be about right.
"""


def batches(items: Sequence[pytest.Item]) -> list[tuple[int, ...]]:
    """The places of all of them, by file; a file that takes long is one batch."""
    home = Path(__file__).parent
    files: dict[Path, list[int]] = {}
    for at, item in enumerate(items):
        files.setdefault(item.path, []).append(at)
    long = {path: _SECONDS[name] for path in files if (name := _name(path, home)) in _SECONDS}
    first = [tuple(files[path]) for path in sorted(long, key=lambda path: (-long[path], path))]
    return [*first, *(part for path, places in files.items() if path not in long for part in _parts(places))]


def _name(path: Path, home: Path) -> str:
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else ""


def _parts(places: Sequence[int]) -> list[tuple[int, ...]]:
    return [tuple(places[start : start + _MOST]) for start in range(0, len(places), _MOST)]

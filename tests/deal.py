"""With which tests each process of a run begins: those that start whole stacks, and mostly wait.

They begin together and overlap. One that began at the end would keep a process busy while all others are done.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

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
    "integration/api/client/test_typescript.py": 14,
    "integration/api/test_document.py": 25,
}
"""How long the files take that hold a test of many seconds. It only has to be about right."""


def dealt(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """All of them, in an order of which each process takes an equal part from its front."""
    home = Path(__file__).parent
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    long = {path: _SECONDS[name] for path in files if (name := _name(path, home)) in _SECONDS}
    hands: list[list[Path]] = [[] for _ in range(processes)]
    for path in sorted(long, key=lambda path: (-long[path], path)):
        min(hands, key=lambda hand: sum(long[each] for each in hand)).append(path)
    rest = iter([item for path, group in files.items() if path not in long for item in group])
    parts = _sizes(len(items), processes)
    fronts = [[item for path in hand for item in files[path]] for hand in hands]
    ordered = [item for front, size in zip(fronts, parts, strict=True) for item in _filled(front, rest, size)]
    return [*ordered, *rest]


def _name(path: Path, home: Path) -> str:
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else ""


def _sizes(count: int, processes: int) -> list[int]:
    """How many xdist gives to each process at the beginning."""
    sizes: list[int] = []
    for left in range(processes, 0, -1):
        sizes.append((count - sum(sizes)) // left)
    return sizes


def _filled(front: Sequence[T], rest: Iterator[T], size: int) -> list[T]:
    return [*front, *islice(rest, max(0, size - len(front)))]

"""Stacks of a running process, as py-spy saw them, and to which part of the work each belongs."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

RATE = 400
"""Looks a second."""
_BEGIN = "Runner.run"
_WAITS = ("_worker (concurrent/futures/thread.py", "wait (threading.py", "select (selectors.py")

Frames: TypeAlias = tuple[str, ...]
"""From the event loop inwards: `function (file)`."""
Parts: TypeAlias = Mapping[str, Sequence[str]]
"""What a part is called, and how the files begin that belong to it. What comes first counts."""


@dataclass(frozen=True, slots=True)
class Samples:
    """How often each stack was seen."""

    stacks: Mapping[Frames, int]

    @property
    def total(self) -> int:
        """Of all stacks."""
        return sum(self.stacks.values())

    def by_part(self, parts: Parts) -> Mapping[str, float]:
        """The share of each part, 1.0 in all: a stack belongs to its innermost frame that is of a part."""
        found: Counter[str] = Counter()
        for frames, count in self.stacks.items():
            found[part_of(frames, parts)] += count
        return {name: found[name] / self.total for name in parts}


def part_of(frames: Frames, parts: Parts) -> str:
    """The part of the innermost frame that has one, else the last part there is."""
    for frame in reversed(frames):
        file = frame.rpartition(" (")[2]
        for name, beginnings in parts.items():
            if file.startswith(tuple(beginnings)):
                return name
    return list(parts)[-1]


def sampled(pid: int, seconds: float, path: Path, work: Callable[[], object]) -> Samples:
    """Look at a process while the work is done. Raises SystemExit where py-spy may not look."""
    words = ["record", "--duration", f"{seconds:.0f}", "--rate", str(RATE), "--format", "raw"]
    program = shutil.which("py-spy") or str(Path(sys.executable).with_name("py-spy"))
    command = [program, *words, "--output", str(path), "--pid", str(pid)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as watcher:
        work()
        _, said = watcher.communicate()
    if watcher.returncode:
        raise SystemExit(f"py-spy could not look at process {pid}: {said.strip()}")
    return Samples(Counter(dict(_stacks(path.read_text()))))


def _stacks(text: str) -> Iterator[tuple[Frames, int]]:
    found: Counter[Frames] = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        names = [_named(frame) for frame in stack.split(";")]
        begin = next((place for place, name in enumerate(names) if name.startswith(_BEGIN)), None)
        if begin is None or names[-1].startswith(_WAITS):
            continue
        found[tuple(names[begin:])] += int(count)
    yield from found.items()


def _named(frame: str) -> str:
    name, _, place = frame.partition(" (")
    file, _, line = place.rstrip(")").rpartition(":")
    return f"{name} ({file if line.isdigit() else place.rstrip(')')}"

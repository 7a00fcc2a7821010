"""Two commits measured by turns, and which of their figures differ by more than noise."""

import argparse
import itertools
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.rows import NAMES

ROOT = Path(__file__).parents[1]
USUAL = ("submit", "status_read", "end_to_end")
ROUNDS = 6
"""The fewest with which a figure of ten can be told from noise."""
LEVEL = 0.05
"""How often, where nothing has changed, any figure at all is said to differ."""
_MOST_DEALS = 20_000

Figures: TypeAlias = Mapping[tuple[str, str, str], float]
"""Of one round, by row, name and unit."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure, before and after. `p`: how often chance alone makes as large a difference."""

    row: str
    name: str
    unit: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    p: float
    is_real: bool = False

    @property
    def change(self) -> float:
        """By medians; 0.1 is a tenth more."""
        return statistics.median(self.after) / statistics.median(self.before) - 1


def p_of(before: Sequence[float], after: Sequence[float]) -> float:
    """How often a deal of the same figures into two hands differs as much: a two-sided permutation test.

    The figures are positive; what is compared is the mean of their logarithms. Up to 20,000 deals are all looked
    at, of more as many are drawn.
    """
    logs = [math.log(figure) for figure in (*before, *after)]
    size, whole = len(before), sum(logs)
    least = _distance(sum(logs[:size]), size, whole, len(logs)) - 1e-12
    deals = [_distance(hand, size, whole, len(logs)) >= least for hand in _hands(logs, size)]
    return sum(deals) / len(deals)


def _distance(hand: float, size: int, whole: float, count: int) -> float:
    return abs(hand / size - (whole - hand) / (count - size))


def _hands(logs: Sequence[float], size: int) -> Iterator[float]:
    if math.comb(len(logs), size) <= _MOST_DEALS:
        yield from (sum(hand) for hand in itertools.combinations(logs, size))
        return
    dealer = random.Random(0)
    yield sum(logs[:size])
    for _ in range(_MOST_DEALS):
        yield sum(dealer.sample(logs, size))


def differences(before: Sequence[Figures], after: Sequence[Figures], level: float = LEVEL) -> list[Difference]:
    """Of each figure that all rounds have. Which are real is decided for all of them together (Holm)."""
    shared = [key for key in before[0] if all(key in figures for figures in (*before, *after))]
    found = []
    for key in shared:
        old, new = tuple(one[key] for one in before), tuple(one[key] for one in after)
        if min(*old, *new) > 0:
            found.append(Difference(*key, old, new, p_of(old, new)))
    real = _real([one.p for one in found], level)
    return [
        Difference(one.row, one.name, one.unit, one.before, one.after, one.p, is_real)
        for one, is_real in zip(found, real, strict=True)
    ]


def _real(chances: Sequence[float], level: float) -> list[bool]:
    real = [False] * len(chances)
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        if chances[place] > level / (len(chances) - rank):
            break
        real[place] = True
    return real


def table(reference: str, found: Sequence[Difference]) -> str:
    """Every figure, with what can be said of it, in Markdown."""
    lines = [f"| row | figure | {reference} | now | change | p | |", "|---|---|---|---|---|---|---|"]
    for one in found:
        medians = " | ".join(f"{statistics.median(hand):,.4g}" for hand in (one.before, one.after))
        verdict = ("more" if one.change > 0 else "less") if one.is_real else "noise"
        lines.append(
            f"| {one.row} | {one.name}, {one.unit} | {medians} | {one.change:+.1%} | {one.p:.3f} | {verdict} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Compare the working tree with a commit."""
    parser = argparse.ArgumentParser(prog="python -m bench compare")
    parser.add_argument(
        "reference", metavar="REF", help="the commit to compare with, by any name that git has for it"
    )
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(NAMES)}; {', '.join(USUAL)} when none is named")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each commit; {ROUNDS} when not said")
    wanted = parser.parse_args(arguments)
    if unknown := set(wanted.rows) - set(NAMES):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if wanted.rounds < 1:
        parser.error("a comparison needs a round of each commit at least")
    with tree_of(wanted.reference, parser.error) as tree:
        before, after = by_turns(tree, wanted.rows or USUAL, wanted.rounds)
    print(table(wanted.reference, differences(before, after)))


def by_turns(tree: Path, rows: Sequence[str], rounds: int) -> tuple[list[Figures], list[Figures]]:
    """The figures of another tree and of this one; whoever comes first in a round comes second in the next."""
    before: list[Figures] = []
    after: list[Figures] = []
    for number in range(rounds):
        turns = [(tree, before), (ROOT, after)]
        for place, figures in turns if number % 2 == 0 else reversed(turns):
            figures.append(_measured(place, rows))
            print(f"round {number + 1} of {rounds}: {'now' if place == ROOT else 'before'} measured", flush=True)
    return before, after


def _measured(tree: Path, rows: Sequence[str]) -> Figures:
    """One round of these rows, by the bench and the code of that tree and with what is installed here."""
    paths = (tree, tree / "packages" / "genpulse-client", *filter(None, [os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "figures.json")
        command = [sys.executable, "-m", "bench", *rows, "--rounds", "1", "--json", str(written)]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"The bench of {tree.name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        document = json.loads(written.read_text())
    return {
        (row, series["name"], series["unit"]): statistics.median(series["figures"])
        for row, result in document["rows"].items()
        for series in result["series"]
    }


@contextmanager
def tree_of(reference: str, refuse: Callable[[str], object]) -> Iterator[Path]:
    """The files of a commit in a folder of their own, which is there as long as this lasts."""
    with tempfile.TemporaryDirectory(prefix="genpulse-bench-") as folder:
        tree = Path(folder, "before")
        added = _git("worktree", "add", "--detach", str(tree), reference)
        if added.returncode:
            refuse(f"git has no files of {reference!r} here: {added.stderr.strip()}")
        try:
            if (tree / "requirements.lock").read_bytes() != (ROOT / "requirements.lock").read_bytes():
                print(
                    f"{reference} asks for other versions of its dependencies; both are measured with those here."
                )
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)

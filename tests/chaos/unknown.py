"""What each unknown outcome could have been, by the vendor's books."""

from collections import Counter
from dataclasses import dataclass

from tests.chaos.behaviour import is_taken_in_silence
from tests.chaos.books import Fate
from tests.chaos.facts import Facts

CODES = ("unknown_outcome", "worker_lost")
BY_VENDOR = "the vendor was silent"
BY_WORKER = "a worker was killed, stopped or frozen"
BY_NOBODY = "neither: its workers lived and were answered"


@dataclass(frozen=True)
class Unknown:
    """A task that ended without anybody knowing, and what the books say about it."""

    task_id: str
    code: str
    shape: str
    cause: str
    fate: Fate
    known: bool
    lost: int


def unknowns(facts: Facts, seed: int) -> tuple[Unknown, ...]:
    """One for each task that ended with such a code."""
    codes = {task_id: facts.code(task_id) for task_id in facts.tasks}
    return tuple(_unknown(facts, seed, task_id, code) for task_id, code in codes.items() if code in CODES)


def _unknown(facts: Facts, seed: int, task_id: str, code: str) -> Unknown:
    task, orders = facts.tasks[task_id], facts.orders.get(task_id, ())
    fates = facts.fates(task_id)
    return Unknown(
        task_id,
        code,
        str(task["model"]),
        _cause(facts, seed, task_id),
        fates[-1] if fates else Fate.NEVER_TAKEN,
        any(facts.is_known(task_id, order) for order in orders),
        facts.lost(task_id),
    )


def _cause(facts: Facts, seed: int, task_id: str) -> str:
    number = facts.tasks[task_id]["number"]
    if is_taken_in_silence(seed, number) and facts.orders.get(task_id):
        return BY_VENDOR
    return BY_WORKER if facts.cut_off(task_id) else BY_NOBODY


def table(found: tuple[Unknown, ...]) -> list[str]:
    """In Markdown: how often each was what; `id known` are those whose job somebody had asked for."""
    counted = Counter((one.code, one.shape, one.cause) for one in found)
    head = ["code", "shape", "cause", *(str(fate) for fate in Fate), "id known", "lost workers"]
    lines = [f"| {' | '.join(head)} |", "|---|---|---|" + "---:|" * (len(Fate) + 2)]
    for (code, shape, cause), _ in sorted(counted.items()):
        those = [one for one in found if (one.code, one.shape, one.cause) == (code, shape, cause)]
        fates = Counter(one.fate for one in those)
        known, lost = sum(one.known for one in those), sum(one.lost for one in those)
        cells = [code, shape, cause, *(str(fates[fate]) for fate in Fate), str(known), str(lost)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines if found else ["None."]

"""What a run has shown beside its verdict: numbers to read."""

from collections import Counter
from collections.abc import Mapping

from tests.chaos.behaviour import odd_of
from tests.chaos.books import most_at_once
from tests.chaos.facts import ENDED
from tests.chaos.killer import Killer
from tests.chaos.rude import Rude
from tests.chaos.stage import SEATS, Stage
from tests.chaos.unknown import unknowns
from tests.chaos.verdict import Case, calm_seats, delays_s


def figures_of(case: Case, killer: Killer, rude: Rude, stage: Stage) -> tuple[str, ...]:
    """A line for each."""
    facts = case.facts
    ends = Counter(facts.code(task_id) for task_id in facts.tasks)
    attempts = Counter(str(one["status"]) for rows in facts.attempts.values() for one in rows)
    taken = Counter(f"{len(orders)}x" for orders in facts.orders.values())
    return (
        _struck(case, killer, stage),
        f"The caller was answered: {counted(case.driver.answers)}.",
        f"Tasks ended: {counted(ends)}. Attempts: {counted(attempts)}.",
        f"Orders of one task: {counted(taken)}. Refused: {sum(facts.books.refused.values()):,}.",
        _oddly(case),
        _canceled(case),
        _lost(case),
        _messages(case, rude),
        _limited(case),
    )


def _oddly(case: Case) -> str:
    tasks = case.facts.tasks
    met = {key: odd for key, task in tasks.items() if (odd := odd_of(case.seed, task["number"])) is not None}
    phases = Counter(str(odd.oddity.phase) for odd in met.values())
    ends = Counter(case.facts.code(key) for key in met)
    return f"Met an odd answer: {len(met):,} tasks ({counted(phases)}). They ended: {counted(ends)}."


def _struck(case: Case, killer: Killer, stage: Stage) -> str:
    blows = killer.blows
    unheeded = sum(slot.unheeded for slot in stage.slots)
    return (
        f"Struck: {counted(blows.struck)}; missed: {blows.missed.total()}. Workers that reached the end of their"
        f" days (1 to 20 s): {killer.mayflies}. Frozen with an open transaction: {blows.frozen_in_transaction}."
        f" Take-overs seen: {killer.take_overs.count}; waited for in vain: {killer.waited_in_vain}. Orderly stops"
        f" that were not heeded: {unheeded}. Ended by themselves: {len(case.died)}."
    )


def counted(counter: Mapping[str, int]) -> str:
    """Names with their counts, the largest first."""
    ordered = sorted(counter.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in ordered) or "nothing"


def _canceled(case: Case) -> str:
    facts = case.facts
    unwanted = {case.driver.ids[number] for number in case.driver.unwanted} & set(facts.tasks)
    ends = Counter(facts.code(task_id) for task_id in unwanted)
    orders = Counter(
        f"{fate} ({'id known' if facts.is_known(task_id, order) else 'id unknown'})"
        for task_id in unwanted
        for order, fate in zip(facts.orders.get(task_id, ()), facts.fates(task_id), strict=True)
    )
    return (
        f"Canceled by the caller: {len(unwanted)}, which ended: {counted(ends)}. Their orders: {counted(orders)}."
    )


def _lost(case: Case) -> str:
    met = Counter(
        f"{one.lost} lost workers" for one in unknowns(case.facts, case.seed) if one.code == "worker_lost"
    )
    deepest = max((case.facts.lost(task_id) for task_id in case.facts.tasks), default=0)
    return f"worker_lost: {counted(met)}. Most lost workers of one task: {deepest}."


def _messages(case: Case, rude: Rude) -> str:
    again = sum(times - 1 for ids in case.receiver.ids.values() for times in ids.values())
    late = sorted(wait for wait in delays_s(case).values() if wait is not None)
    calm = f"at most {late[-1]:.1f} s" if late else "never"
    return (
        f"Messages taken twice under their one id: {again}; stamped by a wrong clock: {case.receiver.wrong_clock}."
        f" Median and 99 % from the end to the message in the storm: {_waits(case)}; in the calm, beside"
        f" {len(case.calm.silent)} to a silent receiver: {calm}. Sent to rude receivers: {counted(rude.tries)}."
    )


def _waits(case: Case) -> str:
    waits = sorted(
        case.receiver.came_at[task_id] - change.at.timestamp()
        for task_id, changes in case.facts.changes.items()
        for change in changes[-1:]
        if change.now in ENDED and task_id in case.receiver.came_at
    )
    if not waits:
        return "none came"
    return f"{waits[len(waits) // 2]:.1f} s, {waits[int(len(waits) * 0.99)]:.1f} s"


def _limited(case: Case) -> str:
    numbers = set(case.calm.narrow)
    narrow = [order for order in case.facts.books.orders if order.shape == "narrow/findable"]
    calm = [order for order in narrow if order.number in numbers]
    if not calm:
        return "The limited account was not asked in the calm."
    took_s = max(order.until() for order in calm) - min(order.taken_at for order in calm)
    busy = sum(order.until() - order.taken_at for order in calm) / (SEATS * took_s)
    return (
        f"The limited account ({SEATS} seats): at most {most_at_once(narrow)} orders at once over all; in the"
        f" calm {len(calm)} orders in {took_s:.1f} s ({case.calm.ideal_s:.1f} s are needed), {calm_seats(case)}"
        f" at once, seats in use {busy:.0%} of the time."
    )

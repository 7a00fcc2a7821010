"""What must be true in the end, whatever was done: a row for each promise."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.behaviour import expected_end, met
from tests.chaos.books import Fate, most_at_once
from tests.chaos.calm import Calm
from tests.chaos.desk import content_of
from tests.chaos.driver import Driver
from tests.chaos.facts import ENDED, Change, Facts, Row
from tests.chaos.finding import Finding
from tests.chaos.receiver import Receiver
from tests.chaos.rude import TAKES
from tests.chaos.shape import Shape
from tests.chaos.stage import SEATS
from tests.chaos.unknown import BY_NOBODY, unknowns
from tests.chaos.watcher import Watchers

DELAY_S = 10.0
"""A message may come so late in the calm; a sender gives up on a silent receiver after more."""
LOSSES = 3
"""So many lost workers in a row end a task as `worker_lost`."""


@dataclass(frozen=True)
class Case:
    """Everything that is looked at."""

    facts: Facts
    driver: Driver
    receiver: Receiver
    watchers: Watchers
    calm: Calm
    storage: Path
    seed: int
    died: tuple[str, ...]
    outlasts_senders: bool


def judge(case: Case) -> tuple[Finding, ...]:
    """One finding a promise."""
    return (*_accepted(case), *_ended(case), *_paid(case), *_told(case), *_kept(case), *_free(case))


def _accepted(case: Case) -> Iterable[Finding]:
    driver, tasks = case.driver, case.facts.tasks
    lost = [str(number) for number, task_id in driver.ids.items() if task_id not in tasks]
    missing = tuple(str(number) for number in driver.wanted if number not in driver.ids)
    extra = [task_id for task_id in tasks if task_id not in set(driver.ids.values())]
    yield Finding("every task was accepted in the end", len(driver.wanted), missing)
    yield Finding("what was accepted is there, once", len(driver.ids), (*lost, *extra, *map(str, driver.double)))
    yield Finding(
        "the API said 200, 202, or 503 with Retry-After, and nothing else",
        sum(driver.answers.values()),
        tuple(driver.odd),
    )


def _ended(case: Case) -> Iterable[Finding]:
    facts = case.facts
    running = [task_id for task_id, rows in facts.attempts.items() for one in rows if one["status"] == "running"]
    changes = sum(map(len, facts.changes.values()))
    yield Finding("every task has ended", len(facts.tasks), tuple(_stuck(case)))
    yield Finding(
        "each ended once, and stayed so",
        len(facts.tasks),
        _those(facts, lambda key, task: _is_over(task) and not _ended_once(facts.changes.get(key, ()))),
    )
    yield Finding("no attempt runs for ever", sum(map(len, facts.attempts.values())), tuple(running))
    yield Finding("no queue entry is left", len(facts.tasks), ("entry",) * facts.queued)
    yield Finding("each change of state raised seq", changes, tuple(_flat(facts)))
    yield Finding("what can be known ended as it should", len(facts.tasks), _ended_wrongly(case))


def _stuck(case: Case) -> Iterable[str]:
    """What did not end, with all that is known about it."""
    facts = case.facts
    for task_id, task in facts.tasks.items():
        if _is_over(task):
            continue
        wish = "canceled" if task["number"] in case.driver.unwanted else "wanted"
        tries = dict(Counter(str(one["status"]) for one in facts.attempts.get(task_id, ())))
        fault, fates = met(case.seed, task["number"]), [str(fate) for fate in facts.fates(task_id)]
        yield f"{task_id} ({task['model']}, {task['status']}, {wish}, vendor {fault}, {fates}, {tries})"


def _is_over(task: Row) -> bool:
    return task["status"] in ENDED


def _ended_once(changes: tuple[Change, ...]) -> bool:
    ends = [change for change in changes if change.now in ENDED]
    return len(ends) == 1 and not any(change.was in ENDED for change in changes)


def _flat(facts: Facts) -> Iterable[str]:
    for task_id, changes in facts.changes.items():
        for one in changes:
            if one.now_seq <= one.was_seq:
                yield f"{task_id}: {one.was} to {one.now} at {one.was_seq}"


def _ended_wrongly(case: Case) -> tuple[str, ...]:
    """A lost worker leaves an unknown outcome, but never where the vendor can be asked."""

    def wrong(task_id: str, task: Row) -> bool:
        code, shape = case.facts.code(task_id), Shape(task["model"])
        allowed = {expected_end(case.seed, task["number"])}
        if shape.is_paid and not shape.can_find:
            allowed.add("unknown_outcome")
        if task["number"] in case.driver.unwanted:
            allowed.add("canceled")
        if case.facts.lost(task_id) >= LOSSES:
            allowed.add("worker_lost")
        return _is_over(task) and code not in allowed

    return _those(case.facts, wrong)


def _paid(case: Case) -> Iterable[Finding]:
    facts = case.facts
    found = unknowns(facts, case.seed)
    orders = len(facts.books.orders)
    yield Finding("the vendor took each task at most once", len(facts.orders), tuple(_twice(facts)))
    yield Finding("what nobody can know failed as unknown, perhaps charged", len(found), _not_maybe(facts))
    yield Finding("nothing that was taken is called free of charge", orders, _called_free(facts))
    yield Finding(
        "nothing that was known is called unknown",
        len(found),
        tuple(f"{one.task_id}: {one.shape}" for one in found if one.code == "unknown_outcome" and one.known),
    )
    yield Finding(
        "nothing became unknown for no reason",
        len(found),
        tuple(f"{one.task_id}: {one.fate}" for one in found if one.cause == BY_NOBODY),
    )
    yield Finding(
        f"worker_lost only after {LOSSES} lost workers",
        sum(one.code == "worker_lost" for one in found),
        tuple(f"{one.task_id}: {one.lost}" for one in found if one.code == "worker_lost" and one.lost < LOSSES),
    )
    yield Finding("what a canceled task had ordered was stopped or has ended", orders, tuple(_orphans(case)))


def _twice(facts: Facts) -> Iterable[str]:
    """An order that was proved refused is not in the books as taken, so one is all there may be."""
    for task_id, orders in facts.orders.items():
        if len(orders) > 1:
            word = "cut off" if facts.cut_off(task_id) else "no worker of it was touched"
            yield f"{task_id}: {len(orders)} times, {facts.code(task_id)}, {word}"


def _not_maybe(facts: Facts) -> tuple[str, ...]:
    def wrong(_: str, task: Row) -> bool:
        is_unknown = task["error"] is not None and task["error"]["code"] == "unknown_outcome"
        return is_unknown and task["error"]["charged"] != "maybe"

    return _those(facts, wrong)


def _called_free(facts: Facts) -> tuple[str, ...]:
    def wrong(task_id: str, task: Row) -> bool:
        fates = set(facts.fates(task_id)) - {Fate.FAILED, Fate.STOPPED}
        return bool(task["error"] and task["error"]["charged"] == "no" and fates)

    return _those(facts, wrong)


def _orphans(case: Case) -> Iterable[str]:
    facts = case.facts
    for task_id, orders in facts.orders.items():
        if facts.tasks[task_id]["status"] != "canceled":
            continue
        for order in orders:
            if order.fate(facts.books.now) is Fate.RUNNING and facts.is_known(task_id, order):
                yield f"{task_id} (number {order.number}, {order.shape})"


def _told(case: Case) -> Iterable[Finding]:
    facts, receiver, told = case.facts, case.receiver, case.watchers.told
    rude = [one for one in facts.deliveries if one["url"].rpartition("/")[2] in set(TAKES) and not _is_held(one)]
    yield Finding("a message about each end arrived, under one id", len(facts.tasks), tuple(_messages(case)))
    yield Finding("no message was forged", len(receiver.ids), ("forged",) * receiver.forged)
    yield Finding(
        "a receiver that says 200 has taken it, however its body ends",
        len(rude),
        tuple(f"{one['task_id']}: {one['url'].rpartition('/')[2]}" for one in rude if not one["delivered_at"]),
    )
    yield Finding(
        "whoever watches is told the end",
        len(told),
        tuple(f"{key}: told {one.states[-2:]}" for key, one in told.items() if not one.is_done),
    )
    yield Finding(
        "the numbers of events grow",
        len(told),
        tuple(f"{key}: {one.wrong[0]}" for key, one in told.items() if one.wrong),
    )


def _is_held(delivery: Row) -> bool:
    """Nobody knows yet what its receiver said: it is being sent, or whoever sent it was killed meanwhile."""
    return delivery["tries"] == 0 and delivery["next_try_at"] is not None


def _messages(case: Case) -> Iterable[str]:
    receiver = case.receiver
    held = {str(one["task_id"]) for one in case.facts.deliveries if _is_held(one)}
    for task_id, task in case.facts.tasks.items():
        if not str(task["webhook_url"]).startswith(receiver.url):
            continue
        if task_id in held and not case.outlasts_senders:
            continue
        ids, states = receiver.ids.get(task_id, ()), receiver.states.get(task_id, set())
        if len(ids) != 1 or states != {task["status"]}:
            yield f"{task_id}: ids {len(ids)}, states {sorted(states)}, is {task['status']}"


def _kept(case: Case) -> Iterable[Finding]:
    facts = case.facts
    outputs = Counter(asset["task_id"] for asset in facts.assets)
    yield Finding("every asset has its bytes, and they are right", len(facts.assets), _assets(case))
    yield Finding(
        "every success has its one output",
        len(facts.tasks),
        _those(facts, lambda _, task: outputs[task["id"]] != (1 if task["status"] == "succeeded" else 0)),
    )
    foreign = tuple(key for key in facts.keys if not key.startswith("dev:"))
    yield Finding("every key in Redis has the prefix", len(facts.keys), foreign)


def _assets(case: Case) -> tuple[str, ...]:
    wrong = []
    numbers = {task["id"]: task["number"] for task in case.facts.tasks.values()}
    for asset in case.facts.assets:
        path = case.storage / asset["key"]
        content = path.read_bytes() if path.exists() else b""
        right = content_of(numbers[asset["task_id"]]) if asset["task_id"] in numbers else None
        if content != right or asset["sha256"] != hashlib.sha256(content).hexdigest():
            wrong.append(str(asset["id"]))
    return tuple(wrong)


def _free(case: Case) -> Iterable[Finding]:
    """Whatever was taken is given back: seats, workers, senders."""
    seats, late = calm_seats(case), {key: s for key, s in delays_s(case).items() if s is None or s > DELAY_S}
    wrong = () if seats == SEATS else (f"{seats} at once",)
    yield Finding(f"in the calm the limited account has its {SEATS} seats", len(case.calm.narrow), wrong)
    yield Finding(
        f"rude receivers do not delay others by {DELAY_S:g} s",
        len(case.calm.polite),
        tuple(f"{key}: {'never' if s is None else f'{s:.1f} s'}" for key, s in late.items()),
    )
    yield Finding("no process ended by itself", len(case.facts.hurt), case.died)


def calm_seats(case: Case) -> int:
    """How many orders of the limited account were in work together in the calm."""
    numbers = set(case.calm.narrow)
    return most_at_once([order for order in case.facts.books.orders if order.number in numbers])


def delays_s(case: Case) -> dict[str, float | None]:
    """Seconds from the end of each polite task of the calm to its message; None where none came."""
    delays: dict[str, float | None] = {}
    for number in case.calm.polite:
        task_id = case.driver.ids.get(number, "")
        ends = [one.at.timestamp() for one in case.facts.changes.get(task_id, ()) if one.now in ENDED]
        came_at = case.receiver.came_at.get(task_id)
        delays[task_id or str(number)] = came_at - ends[-1] if came_at is not None and ends else None
    return delays


def _those(facts: Facts, wrong: Callable[[str, Row], bool]) -> tuple[str, ...]:
    return tuple(
        f"{task_id} (number {task['number']}, {task['model']}, {facts.code(task_id)})"
        for task_id, task in facts.tasks.items()
        if wrong(task_id, task)
    )

"""What has to be true after every case, whatever went wrong in it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from genpulse.domain.task import LEGAL_MOVES, TaskStatus
from genpulse.domain.webhook_delivery import STARTED
from tests.crash_points import lane, stage
from tests.crash_points.deletions import deletions
from tests.crash_points.play import Play
from tests.crash_points.vendor import PRICE_USD, Order, content_of

_MARGIN_S = 0.1
_OF_A_SLOW_MACHINE = (
    *("ended as", "do not come to their end", "a task is", "entries are left", "attempts run for ever"),
    *("a task afterwards", "the rate is not back", "does not stop", "did not arrive", "broke off"),
)
_CANNOT_LOOK_UP = {"blind", "stop", "immediate"}
_CAN_STOP = {"stop", "helpful"}


@dataclass(frozen=True)
class Facts:
    """What the rows say in the end."""

    tasks: Mapping[UUID, Mapping[str, Any]]
    log: Sequence[Mapping[str, Any]]
    deliveries: Sequence[Mapping[str, Any]]
    running_attempts: int
    entries: int


async def gather(play: Play) -> Facts:
    """Ask the database."""
    database = play.lane
    tasks = {row["id"]: row for row in await database.fetch("SELECT * FROM tasks")}
    running = await database.fetch("SELECT count(*) AS n FROM attempts WHERE status = 'running'")
    return Facts(
        tasks,
        await database.log(),
        await database.fetch("SELECT * FROM deliveries"),
        running[0]["n"],
        await database.entries(),
    )


async def judge(play: Play) -> list[str]:
    """Everything that is broken, in words."""
    facts = await gather(play)
    broken = list(play.problems)
    broken += _left_over(facts)
    broken += _versions(play, facts)
    for task_id in play.ids:
        broken += _task(play, facts, task_id)
        broken += await _outputs(play, facts, task_id)
    broken += await deletions(play)
    broken += _extra(play, facts)
    broken += await _budget(play)
    return broken


def may_be_slowness(words: str) -> bool:
    """Whether that may also be since leases ran out, or patience did, while this machine did something else.

    Whatever concerns money, bytes or versions is no such thing.
    """
    return any(sign in words for sign in _OF_A_SLOW_MACHINE)


def _left_over(facts: Facts) -> Iterator[str]:
    if facts.entries:
        yield f"{facts.entries} entries are left in the queue"
    if facts.running_attempts and not facts.entries:
        yield f"{facts.running_attempts} attempts run for ever"


def _extra(play: Play, facts: Facts) -> Iterator[str]:
    known = {*play.ids, *play.removed}
    paid = {task_id for task_id in facts.tasks if task_id not in known and play.books.of(task_id)}
    if paid or len([one for one in facts.tasks if one not in known]) > 1:
        yield "there are tasks that nobody was told of"


def _versions(play: Play, facts: Facts) -> Iterator[str]:
    ends: Counter[str] = Counter()
    for entry in facts.log:
        old, new = entry["old"], entry["new"]
        if entry["source"] != "tasks" or old is None or new is None:
            continue
        before, after = TaskStatus(old["status"]), TaskStatus(new["status"])
        if before is not after and after not in LEGAL_MOVES[before]:
            yield f"a task went from {before} to {after}"
        if new["seq"] < old["seq"]:
            yield f"seq fell from {old['seq']} to {new['seq']}"
        if before is not after and new["seq"] == old["seq"]:
            yield f"{before} became {after} with the same seq"
        if not old["cancel_requested_at"] and new["cancel_requested_at"] and new["seq"] == old["seq"]:
            yield "a wish to cancel left seq as it was"
        if after.ended and not before.ended:
            ends[new["id"]] += 1
    for task_id in play.ids:
        if ends[str(task_id)] > 1:
            yield f"a task ended {ends[str(task_id)]} times"


def _task(play: Play, facts: Facts, task_id: UUID) -> Iterator[str]:
    task = facts.tasks.get(task_id)
    if task is None:
        yield "a task is gone"
        return
    status = TaskStatus(task["status"])
    orders = play.books.of(task_id)
    yield from _orders(orders)
    if not status.ended:
        yield f"a task is {status}"
        return
    error = _error(task)
    yield from _end(play, task, error)
    yield from _charged(orders, status, error)
    if status is TaskStatus.CANCELED and task["order_reference"] and error.get("charged") != "maybe":
        yield "canceled with an order that may be charged, and not a word of it"
    yield from _stopped(play, facts, task, orders)
    yield from _messages(play, facts, task_id)


def _orders(orders: Sequence[Order]) -> Iterator[str]:
    """Another order only after the vendor has said that the last one failed and costs nothing."""
    open_ones = [order for order in orders if not order.failed]
    if len(open_ones) > 1:
        yield f"ordered {len(open_ones)} times"


def _error(task: Mapping[str, Any]) -> Mapping[str, Any]:
    error = task["error"]
    return json.loads(error) if isinstance(error, str) else error or {}


def _end(play: Play, task: Mapping[str, Any], error: Mapping[str, Any]) -> Iterator[str]:
    end = error["code"] if task["status"] == "failed" else task["status"]
    model = task["model"].rpartition("/")[2]
    allowed = set(play.scenario.expected)
    if play.wants_cancel:
        allowed.add("canceled")
    if end == "unknown_outcome" and model in _CANNOT_LOOK_UP and play.was_uncertain:
        return
    if play.wants_cancel and end == "succeeded" and (play.was_uncertain or task["cancel_requested_at"] is None):
        return  # it was asked for when the end was near, or over
    if end not in allowed:
        yield f"ended as {end}, not as {' or '.join(sorted(allowed))}"


def _charged(orders: Sequence[Order], status: TaskStatus, error: Mapping[str, Any]) -> Iterator[str]:
    paid = [order for order in orders if not order.failed]
    if status is TaskStatus.FAILED and paid and error.get("charged") == "no":
        yield "charged says no, and the vendor has an order"
    if status is TaskStatus.FAILED and not orders and error.get("charged") == "yes":
        yield "charged says yes, and the vendor has no order"


def _stopped(play: Play, facts: Facts, task: Mapping[str, Any], orders: Sequence[Order]) -> Iterator[str]:
    """What was known at the vendor when nobody wanted it any more was told to stop.

    What became known later, from whoever had lost the task, is told within a minute, which nobody waits for here.
    """
    if task["model"].rpartition("/")[2] not in _CAN_STOP:
        return
    if task["status"] != "canceled" and _error(task).get("code") != "deadline_exceeded":
        return
    ended_at: datetime = task["finished_at"]
    versions = [entry["new"] for entry in facts.log if entry["new"]]
    journaled = {lane.known_job(version) for version in versions}
    in_time = {lane.known_job(version) for version in versions if version["finished_at"] is None}
    lost = any(injection.fault.loses_the_lease for injection in play.fired)
    for order in orders:
        known = order.id in journaled or (order.answered_at is not None and not lost)
        is_due = order.id not in in_time and task["order_stop_at"] is not None
        if known and order.done_at > ended_at.timestamp() + _MARGIN_S and order.canceled_at is None and not is_due:
            yield f"the vendor was not told to stop {order.id}"


def _messages(play: Play, facts: Facts, task_id: UUID) -> Iterator[str]:
    """One about the end, and one about the start of what has started, which comes first."""
    of_task = [row for row in facts.deliveries if row["task_id"] == task_id]
    starts = [row for row in of_task if row["type"] == STARTED]
    ends = [row for row in of_task if row["type"] != STARTED]
    task = facts.tasks.get(task_id)
    has_started = task is not None and task["started_at"] is not None
    if len(ends) != 1:
        yield f"{len(ends)} messages about one end"
    if len(starts) != has_started:
        yield f"{len(starts)} messages about {int(has_started)} starts"
    arrived = [taken for taken, body in play.world.receiver.taken if str(task_id) in body.decode()]
    noted = [f"msg_{row['id'].hex}" for row in (*starts, *ends)]
    if missing := set(noted) - set(arrived):
        yield f"{len(missing)} messages did not arrive"
    if others := set(arrived) - set(noted):
        yield f"{len(others)} messages arrived that nobody noted"
    if not play.scenario.refused_webhooks and list(dict.fromkeys(arrived)) != noted:
        yield "the end was told before the start"


async def _outputs(play: Play, facts: Facts, task_id: UUID) -> list[str]:
    task = facts.tasks.get(task_id)
    if task is None or task["status"] != "succeeded":
        return []
    services = play.harness.services
    outputs = (await services.store.get(task_id)).outputs
    if len(outputs) != 1:
        return [f"{len(outputs)} outputs of a success"]
    content = outputs[0].content
    chunks = [chunk async for chunk in play.world.storage.read(content.key, 0, content.size)]
    return [] if b"".join(chunks) == content_of(task_id) else ["the bytes of an output are wrong"]


async def _budget(play: Play) -> list[str]:
    if play.scenario.daily_usd is None:
        return []
    paid = PRICE_USD * len([order for order in play.books.orders if not order.failed])
    known = await stage.spent(play.harness.services)
    broken = []
    if paid > play.scenario.daily_usd:
        broken.append(f"{paid} USD were paid of {play.scenario.daily_usd}")
    if known != paid:
        broken.append(f"the budget knows of {known} USD, and the vendor of {paid}")
    return broken

"""Conversion between rows and domain values."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from genpulse.adapters.database.statements.columns import ATTEMPT_TIMES
from genpulse.adapters.database.tasks import exact_input
from genpulse.adapters.database.tasks.route_document import route_of
from genpulse.adapters.database.webhooks.choice_document import choice_of
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.attempt import Attempt, AttemptStatus
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.json.value import JsonObject
from genpulse.domain.money.cost import Cost, CostFlag
from genpulse.domain.money.ledger import AmountSource, EntryKind, LedgerEntry
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.task import OpenOrder, Priority, Task, TaskStatus, WaitsFor
from genpulse.domain.warning import TaskWarning, WarningCode

Row = Mapping[str, Any]


def uuid_of(value: UUID) -> UUID:
    """The standard library's UUID: asyncpg's own kind is not equal to itself once it was pickled."""
    return UUID(int=value.int)


def task_of(row: Row) -> Task:
    """A row of `tasks`."""
    return Task(
        id=uuid_of(row["id"]),
        environment=row["environment"],
        kind=row["kind"],
        provider=row["provider"],
        model=row["model"],
        status=TaskStatus(row["status"]),
        input=exact_input.input_of(row["input"], row["exact_input"]),
        created_at=row["created_at"],
        priority=Priority(row["priority"]),
        metadata=row["metadata"],
        webhook_url=row["webhook_url"],
        deadline_at=row["deadline_at"],
        price_usd=row["price_usd"],
        owner=row["owner"],
        progress=row["progress"],
        outputs=tuple(_asset_of_document(document) for document in row["outputs"]),
        error=failure_of(row["error"]),
        cost=_cost_of(row["cost"]),
        attempt=row["attempt"],
        failures=row["failures"] or 0,
        losses=row["losses"] or 0,
        cancel_requested_at=row["cancel_requested_at"],
        retried_at=row["retried_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        seq=row["seq"],
        order=order_of(row),
        waiting_for=WaitsFor(row["waiting_for"]) if row["waiting_for"] else None,
        waiting_since=row["waiting_since"],
        last_error=failure_of(row["last_error"]),
        next_try_at=row["next_try_at"],
        warnings=_warnings_of(row["warnings"]),
        batch_id=uuid_of(row["batch_id"]) if row["batch_id"] else None,
        retain_s=row["retain_s"],
        run_at=_moment(row["run_at"]),
        depends_on=tuple(uuid_of(source) for source in row["depends_on"] or ()),
        route=route_of(row["route"]),
        webhook_choice=choice_of(row["webhook_choice"]),
        deadline_is_for_start=row.get("deadline_is_for_start") or False,
        client_token=uuid_of(row["client_token"]) if row["client_token"] else None,
        result=_result_of(row.get("result")),
        has_unread_result=row.get("has_result", False),
    )


def _result_of(text: str | None) -> TaskResult | None:
    """Most statements leave the column out, which may be large."""
    return None if text is None else TaskResult(text)


def _moment(at: datetime | None) -> datetime | None:
    """The driver writes the first moment there is as `-infinity`, and reads that without an offset."""
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def order_of(row: Row) -> OpenOrder | None:
    """What a row of `tasks` has open at a vendor."""
    if row["order_sent_at"] is None:
        return None
    return OpenOrder(row["order_reference"], row["order_account"], row["order_sent_at"], row["order_job_id"])


def attempt_of(row: Row) -> Attempt:
    """A row of `attempts`."""
    return Attempt(
        id=uuid_of(row["id"]),
        task_id=uuid_of(row["task_id"]),
        number=row["number"],
        provider=row["provider"],
        model=row["model"],
        worker=row["worker"],
        client_reference=row["client_reference"],
        started_at=row["started_at"],
        status=AttemptStatus(row["status"]),
        submitting_at=row["submitting_at"],
        job_id=row["job_id"],
        finished_at=row["finished_at"],
        error=failure_of(row["error"]),
        times=_times_of(row),
    )


def _times_of(row: Row) -> AttemptTimes | None:
    """Whoever writes any of them writes `polls`."""
    return None if row["polls"] is None else AttemptTimes(*(row[name] for name in ATTEMPT_TIMES))


def asset_of(row: Row) -> Asset:
    """A row of `assets`."""
    return Asset(
        id=uuid_of(row["id"]),
        content=Content(
            key=row["key"],
            sha256=row["sha256"],
            size=row["size"],
            media_type=row["media_type"],
            width=row["width"],
            height=row["height"],
            duration_s=row["duration_s"],
        ),
        created_at=row["created_at"],
        environment=row["environment"],
        task_id=uuid_of(row["task_id"]) if row["task_id"] else None,
        owner=row["owner"],
    )


def outputs_document(assets: Sequence[Asset]) -> Sequence[JsonObject]:
    """Assets as they are kept on the task's row: they never change, and so one row tells all."""
    return [
        {
            "id": str(asset.id),
            "task_id": str(asset.task_id) if asset.task_id else None,
            "environment": asset.environment,
            "owner": asset.owner,
            "created_at": asset.created_at.isoformat(),
            "key": asset.content.key,
            "sha256": asset.content.sha256,
            "size": asset.content.size,
            "media_type": asset.content.media_type,
            "width": asset.content.width,
            "height": asset.content.height,
            "duration_s": asset.content.duration_s,
        }
        for asset in assets
    ]


def _asset_of_document(document: Row) -> Asset:
    ids = {name: UUID(document[name]) if document[name] else None for name in ("id", "task_id")}
    moment = datetime.fromisoformat(document["created_at"])
    return asset_of({**document, **ids, "created_at": moment})


def failure_document(failure: Failure | None) -> JsonObject | None:
    """A failure as it is kept."""
    if failure is None:
        return None
    return {
        "code": failure.code.value,
        "message": failure.message,
        "retryable": failure.retryable,
        "charged": failure.charged.value,
        "who_must_act": failure.who_must_act.value,
        "retry_after_s": failure.retry_after_s,
    }


def failure_of(document: Row | None) -> Failure | None:
    """The reverse of `failure_document`."""
    if document is None:
        return None
    return Failure(
        code=FailureCode(document["code"]),
        message=document["message"],
        retryable=document["retryable"],
        charged=Charged(document["charged"]),
        who_must_act=Actor(document["who_must_act"]),
        retry_after_s=document["retry_after_s"],
    )


def warnings_document(warnings: Sequence[TaskWarning]) -> Sequence[JsonObject] | None:
    """What is odd about outputs, as it is kept; None where nothing is."""
    if not warnings:
        return None
    return [{"code": one.code.value, "message": one.message, "index": one.index} for one in warnings]


def _warnings_of(documents: Sequence[Row] | None) -> tuple[TaskWarning, ...]:
    return tuple(
        TaskWarning(WarningCode(each["code"]), each["message"], each["index"]) for each in documents or ()
    )


def cost_document(cost: Cost | None) -> JsonObject | None:
    """A cost as it is kept: the amount as text, so that no digit is lost."""
    if cost is None:
        return None
    document: JsonObject = {"amount_usd": str(cost.amount_usd), "estimated": cost.estimated}
    if cost.rule_version:
        document = {**document, "rule_version": cost.rule_version}
    return document if cost.flag is None else {**document, "flag": cost.flag.value, "reported": cost.reported}


def _cost_of(document: Row | None) -> Cost | None:
    if document is None:
        return None
    flag = document.get("flag")
    return Cost(
        Decimal(document["amount_usd"]),
        document["estimated"],
        flag=CostFlag(flag) if flag else None,
        reported=document.get("reported"),
        rule_version=document.get("rule_version", ""),
    )


def entry_of(row: Row) -> LedgerEntry:
    """A row of `ledger`."""
    return LedgerEntry(
        task_id=uuid_of(row["task_id"]),
        kind=EntryKind(row["kind"]),
        amount_usd=row["amount_usd"],
        attempt=row["attempt"],
        provider=row["provider"],
        model=row["model"],
        owner=row["owner"],
        environment=row["environment"],
        day=row["day"],
        source=AmountSource(row["source"]),
        created_at=row["created_at"],
        rule_version=row["rule_version"],
        flag=CostFlag(row["flag"]) if row["flag"] else None,
        reported=row["reported"],
    )


def group_of(row: Row) -> TaskGroup:
    """Tasks that are alike, of a row that counts them."""
    return TaskGroup(
        status=TaskStatus(row["status"]),
        provider=row["provider"],
        model=row["model"],
        code=FailureCode(row["code"]) if row["code"] else None,
        retryable=row["retryable"],
        has_order=row["has_order"],
        knows_job=row["knows_job"],
        count=row["count"],
        priced=row["priced"],
        price_usd=row["price_usd"],
        cost_usd=row["cost_usd"],
    )

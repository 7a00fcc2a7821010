"""What tasks came to: by day, provider, model or key, as a table, a plot, or a file for a spreadsheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from genpulse.api.routes.usage import MOST_ROWS, UsageParameters
from genpulse.api.schemas.usage import UsageDocument, UsageRowDocument, table
from genpulse.console.visit import Visit
from genpulse.domain.errors import BadInput
from genpulse.domain.search.usage import UsageField, UsageQuery, UsageRow

GROUPS = ("day", "provider", "model", "key")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    query: UsageQuery
    words: Mapping[str, str]
    ignored: Sequence[str]

    @property
    def fields(self) -> list[str]:
        """By what tasks are put together."""
        return self.words["group_by"].split(",")


@dataclass(frozen=True, slots=True)
class Sums:
    """All rows together."""

    count: int
    failed: int
    cost_usd: Decimal


async def show(visit: Visit) -> Response:
    """The page."""
    question = await _asked(visit)
    rows = await visit.services.store.usage_by(question.query)
    costs = [row.money.cost_usd or row.cost_usd for row in rows]
    return visit.page(
        "usage.html",
        "Usage",
        question=question,
        groups=GROUPS,
        rows=list(zip(rows[:_SHOWN], costs, strict=False)),
        more=len(rows) - _SHOWN,
        most=max(costs, default=Decimal(0)),
        most_count=max((row.count for row in rows), default=0),
        sums=_sums(rows, costs),
        names=await _key_names(visit, question.query),
    )


async def fetch_csv(visit: Visit) -> Response:
    """The same as CSV. Raises `BadInput` where it is more than a file may have."""
    question = await _asked(visit)
    rows = await visit.services.store.usage_by(question.query)
    if len(rows) > MOST_ROWS:
        raise BadInput(f"It gives more than {MOST_ROWS:,} rows: ask for less time, or for fewer things.")
    names = await _key_names(visit, question.query)
    data = [UsageRowDocument.of(row, question.query, names) for row in rows]
    document = UsageDocument(start=question.query.start, end=question.query.end, data=data)
    headers = {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": 'attachment; filename="usage.csv"',
    }
    return Response(table(document, question.fields), headers=headers)


def _sums(rows: Sequence[UsageRow], costs: Sequence[Decimal]) -> Sums:
    failed = sum(count for row in rows for status, count in row.statuses.items() if status == "failed")
    return Sums(sum(row.count for row in rows), failed, sum(costs, Decimal(0)))


async def _asked(visit: Visit) -> _Asked:
    """What the address asks for: what makes no sense is left out, and named."""
    words = {
        name: value.strip()
        for name, value in visit.request.query_params.items()
        if name in {"from", "to", "group_by"} and value.strip()
    }
    words.setdefault("group_by", "day")
    owner, now, ignored = visit.viewer.owner, await visit.services.store.now(), list[str]()
    while True:
        try:
            query = UsageParameters.model_validate(words).query(now, owner)
            return _Asked(query, words, ignored)
        except (ValidationError, RequestValidationError) as error:
            faults = {str(item["loc"][-1]): str(item["msg"]) for item in error.errors()}
        ignored += [f"{name}: {said}" for name, said in faults.items()]
        words = {name: value for name, value in words.items() if name not in faults} | (
            {"group_by": "day"} if "group_by" in faults else {}
        )


async def _key_names(visit: Visit, query: UsageQuery) -> dict[str, str]:
    if UsageField.KEY not in query.fields:
        return {}
    key = visit.viewer.caller.key
    known = await visit.services.keys.all() if visit.viewer.sees_all else ((key,) if key else ())
    return {str(one.id): one.name for one in known}

"""What tasks came to, as callers see it: as JSON, or as a table for a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import ConfigDict

from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.domain.money.ledger import EntryKind
from genpulse.domain.search.usage import UsageField, UsageQuery, UsageRow
from genpulse.domain.task import TaskStatus

METADATA = "metadata."
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes what begins so for a formula, and metadata are anybody's."""


class UsageRowDocument(Document):
    """Tasks that are alike in what they are put together by."""

    model_config = ConfigDict(title="UsageRow")

    day: date | None
    """UTC; this and the following are null unless tasks are put together by them."""
    provider: str | None
    model: str | None
    key: str | None
    """The id of the API key; empty for tasks that were submitted without one."""
    key_name: str | None
    status: TaskStatus | None
    metadata: Mapping[str, str | None]
    """The values of the names by which tasks are put together; null where a task has none."""
    count: int
    statuses: Mapping[TaskStatus, int]
    """How many of them stand so."""
    cost_usd: Amount
    """What they cost, as far as providers and prices tell."""
    price_usd: Amount
    """What they may cost at most by their prices."""
    unpriced: int
    """Of how many nobody knows the price."""
    reserved_usd: Amount
    """What was reserved by the ledger; this and the following also of tasks that are gone, on whole days (UTC), or
    of the tasks that are counted, where they are put together by `status` or metadata."""
    settled_usd: Amount
    """What was spent by the ledger, charged failures included."""
    released_usd: Amount
    """What was reserved and not spent."""
    refunded_usd: Amount
    """What was given back of what was settled."""

    @classmethod
    def of(cls, row: UsageRow, query: UsageQuery, names: Mapping[str, str]) -> "UsageRowDocument":
        """From the domain's value; `names` are those of keys by their id."""
        by_field = dict(zip(query.fields, row.values, strict=True))
        key, status = by_field.get(UsageField.KEY), by_field.get(UsageField.STATUS)
        return cls(
            day=date.fromisoformat(by_field[UsageField.DAY]) if UsageField.DAY in by_field else None,
            provider=by_field.get(UsageField.PROVIDER),
            model=by_field.get(UsageField.MODEL),
            key=key,
            key_name=names.get(key) if key else None,
            status=TaskStatus(status) if status else None,
            metadata=dict(zip(query.metadata, row.metadata, strict=True)),
            count=row.count,
            statuses=row.statuses,
            cost_usd=row.cost_usd,
            price_usd=row.price_usd,
            unpriced=row.unpriced,
            reserved_usd=row.money.reserved_usd,
            settled_usd=row.money.settled_usd,
            released_usd=row.money.released_usd,
            refunded_usd=row.money.refunded_usd,
        )


class UsageDocument(Document):
    """What tasks came to that came at or after `start` and before `end`."""

    model_config = ConfigDict(title="Usage")

    start: Time
    end: Time
    data: list[UsageRowDocument]
    """In the order of what they are put together by; none without a task."""


def table(document: UsageDocument, fields: Sequence[str]) -> str:
    """As CSV (RFC 4180), a column for each of the fields that tasks are put together by; metadata come last."""
    by = sorted(fields, key=lambda field: field.startswith(METADATA))
    if UsageField.KEY in by:
        by.insert(by.index(UsageField.KEY) + 1, "key_name")
    amounts = ("cost_usd", "price_usd", "unpriced", *(f"{kind}_usd" for kind in EntryKind))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*map(_plain, by), "count", *(status.value for status in TaskStatus), *amounts])
    for row in document.data:
        cells = row.model_dump(mode="json")
        cells |= {f"{METADATA}{name}": value for name, value in row.metadata.items()}
        values = [_plain(cells[name]) for name in by]
        counts = [cells["count"], *(row.statuses.get(status, 0) for status in TaskStatus)]
        writer.writerow([*values, *counts, *(cells[name] for name in amounts)])
    return out.getvalue()


def _plain(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text

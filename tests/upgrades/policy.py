"""What a migration may not do: docs/explanation/online-upgrades.md, as rules over what it was seen to do."""

from collections.abc import Iterator

from tests.upgrades.catalogue import TableState
from tests.upgrades.inspection import Inspection

FIRST = "0013"
"""0008 to 0012 are of one version, for which everything is stopped; from here on nothing is."""
SMALL = frozenset(
    ["environment_stamp", "schema_compatibility", "signing_secret", "renewals", "api_keys", "key_webhook_secrets"]
)
"""Tables of few rows: those may be read and written while they are locked."""


def faults(seen: Inspection, *, revision_before: str) -> list[str]:
    """Each thing by which this change would hold others up, or by which the version before could not live on."""
    return sorted({*_locks(seen), *_rows(seen), *_tables(seen, revision_before)})


def _locks(seen: Inspection) -> Iterator[str]:
    for table, mode in seen.locks.items():
        if table not in seen.locked_first:
            yield f"{table}: locked ({mode}) without migration_steps.lock, which gives up and lets others through"


def _rows(seen: Inspection) -> Iterator[str]:
    for table in seen.rewritten:
        yield f"{table}: written anew as a whole while it is locked"
    for table in (seen.read | seen.written) - SMALL - seen.rewritten:
        yield f"{table}: its rows are read or written while it is locked"


def _tables(seen: Inspection, revision_before: str) -> Iterator[str]:
    contracts = (seen.after.works_with or "") > (seen.before.works_with or "")
    if seen.after.works_with is None or seen.after.works_with > revision_before:
        yield f"the version of {revision_before} may not work with it: that takes a release between the two"
    for oid, before in seen.before.tables.items():
        after = seen.after.tables.get(oid)
        if after is None or after.name != before.name:
            if not contracts:
                yield f"{before.name}: taken away or renamed without a higher works_with_revision"
            continue
        yield from _additions(before, after)
        yield from _columns(before, after, contracts=contracts)


def _additions(before: TableState, after: TableState) -> Iterator[str]:
    if before.name not in SMALL:
        for index in after.indexes - before.indexes:
            yield f"{before.name}: index {index} is built while it is locked; describe it in tables.py alone"
        for name in after.conditions.keys() - before.conditions.keys():
            if after.conditions[name]:
                yield f"{before.name}: condition {name} is checked while it is locked; add it NOT VALID"
    for number in after.columns.keys() - before.columns.keys():
        column = after.columns[number]
        if column.required and not column.filled:
            yield f"{before.name}.{column.name}: older versions do not fill it; give it a default"


def _columns(before: TableState, after: TableState, *, contracts: bool) -> Iterator[str]:
    for number, column in before.columns.items():
        now = after.columns.get(number)
        name = f"{before.name}.{column.name}"
        if now is None or now.name != column.name:
            if not contracts:
                yield f"{name}: taken away or renamed without a higher works_with_revision"
        elif now.type != column.type:
            yield f"{name}: its type changes from {column.type} to {now.type}; add a column beside it"
        elif now.required and not column.required and not contracts:
            yield f"{name}: older versions may leave it NULL; that takes a higher works_with_revision"
        elif column.filled and not now.filled and column.required and not contracts:
            yield f"{name}: older versions rely on its default; that takes a higher works_with_revision"

"""What a run over the market has shown beside its verdict: numbers to read."""

from collections import Counter

from tests.chaos.figures import counted
from tests.chaos.money.account_facts import AccountFacts
from tests.chaos.money.account_verdict import differences, totals
from tests.chaos.money.buyer import Buyer
from tests.chaos.stage import Stage


def figures_of(facts: AccountFacts, buyer: Buyer, stage: Stage) -> tuple[str, ...]:
    """A line for each."""
    ends = Counter(facts.code(task_id) for task_id in facts.tasks)
    sources = Counter(f"{one.kind} by {one.source}" for rows in facts.entries.values() for one in rows)
    flags = Counter(str(one.flag) for rows in facts.entries.values() for one in rows if one.flag)
    charges = Counter(f"{one.why} at {one.sale.shop}" for rows in facts.charges.values() for one in rows)
    return (
        f"The caller was answered: {counted(buyer.answers)}.",
        f"Refused: {counted(Counter(buyer.refused.values()))}.",
        f"Run again by hand: {counted(buyer.retried)}.",
        f"Tasks ended: {counted(ends)}. Ended by themselves: {len(stage.died)} processes.",
        f"Shops took: {counted(charges)}. They refused: {counted(facts.books.refused)}.",
        f"Entries: {counted(sources)}. Flags: {counted(flags)}.",
        f"Hops: {counted(_hops(facts))}.",
    )


def _hops(facts: AccountFacts) -> Counter[str]:
    return Counter(
        f"{hop['model'].partition('/')[0]} {hop['code']}"
        for task in facts.tasks.values()
        for hop in (task["route"] or {}).get("hops", ())
    )


def tables_of(facts: AccountFacts) -> tuple[str, ...]:
    """The sums by shop, and how often what nobody knows was charged, and how often not."""
    doubtful = {task_id for task_id in facts.tasks if facts.is_doubtful(task_id)}
    unlike = Counter(
        f"{one.code} at {one.shop}, charged {'something else' if one.charged_usd else 'nothing'}"
        for one in differences(facts)
        if one.task_id in doubtful
    )
    return (
        "| shop | took, by its books | ledger | settled in doubt and not taken |",
        "|---|---:|---:|---:|",
        *(f"| {shop} | {took} | {settled} | {more} |" for shop, (took, settled, more) in totals(facts).items()),
        "",
        f"Nobody knows of {len(doubtful):,} tasks what they cost. The shop took something else than was settled:",
        *(f"- {name}: {count}" for name, count in sorted(unlike.items())),
    )

"""What a run over the market has shown, in Markdown."""

from collections import Counter

from tests.chaos.figures import counted
from tests.chaos.money.account_verdict import differences, totals
from tests.chaos.money.run import MoneyReport
from tests.chaos.run import Plan


def text_of(report: MoneyReport) -> str:
    """Figures, the table of promises, the sums by shop, and what nobody knows."""
    plan = report.plan
    lines = [
        f"{plan.tasks:,} orders, {plan.apis} APIs, {plan.workers} workers, seed {plan.seed}.",
        f"{report.took_s:.0f} s.",
        "",
        f"{report.incidents.total()} incidents: {counted(report.incidents)}.",
        "",
        *_figures(report),
        "",
        "| promise | looked at | broken |",
        "|---|---:|---:|",
        *map(str, report.findings),
        "",
        *_sums(report),
        "",
        *_doubts(report),
    ]
    if not report.holds and plan.script is None:
        lines += ["", f"Again: {_again(plan)}"]
    return "\n".join(lines)


def _again(plan: Plan) -> str:
    words = (
        f"python -m tests.chaos.money --tasks {plan.tasks} --seed {plan.seed} --every {plan.every_s:g}"
        f" --workers {plan.workers} --pace {plan.pace_s:g} --patience {plan.ends_within_s:g}"
    )
    return words if plan.clocks else f"{words} --right-clocks"


def _figures(report: MoneyReport) -> list[str]:
    facts, buyer = report.facts, report.buyer
    ends = Counter(facts.code(task_id) for task_id in facts.tasks)
    sources = Counter(f"{one.kind} by {one.source}" for rows in facts.entries.values() for one in rows)
    flags = Counter(str(one.flag) for rows in facts.entries.values() for one in rows if one.flag)
    charges = Counter(f"{one.why} at {one.sale.shop}" for rows in facts.charges.values() for one in rows)
    return [
        f"The caller was answered: {counted(buyer.answers)}. Refused: {counted(Counter(buyer.refused.values()))}.",
        f"Run again by hand: {counted(Counter(map(str, buyer.retried.elements())))}.",
        f"Tasks ended: {counted(ends)}. Ended by themselves: {len(report.died)} processes.",
        f"Shops took: {counted(charges)}. They refused: {counted(facts.books.refused)}.",
        f"Entries: {counted(sources)}. Flags: {counted(flags)}.",
        f"Hops: {counted(_hops(report))}.",
    ]


def _hops(report: MoneyReport) -> Counter[str]:
    return Counter(
        f"{hop['model'].partition('/')[0]} {hop['code']}"
        for task in report.facts.tasks.values()
        for hop in (task["route"] or {}).get("hops", ())
    )


def _sums(report: MoneyReport) -> list[str]:
    head = ["| shop | took, by its books | ledger | settled in doubt and not taken |", "|---|---:|---:|---:|"]
    rows = totals(report.facts).items()
    return [*head, *(f"| {shop} | {took} | {settled} | {more} |" for shop, (took, settled, more) in rows)]


def _doubts(report: MoneyReport) -> list[str]:
    """How often what nobody knows was charged, and how often not."""
    facts = report.facts
    doubtful = {task_id for task_id in facts.tasks if facts.is_doubtful(task_id)}
    unlike = Counter(
        f"{one.code} at {one.shop}, charged {'something else' if one.charged_usd else 'nothing'}"
        for one in differences(facts)
        if one.task_id in doubtful
    )
    return [
        f"Nobody knows of {len(doubtful):,} tasks what they cost. The shop took something else than was settled:",
        *(f"- {name}: {count}" for name, count in sorted(unlike.items())),
    ]

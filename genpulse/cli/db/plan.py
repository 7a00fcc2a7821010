"""`genpulse db upgrade --plan`: what would be done, with its locks."""

from dataclasses import asdict

from genpulse.cli.output.table import Column, Table, show_table
from genpulse.cli.output.terminal import say, say_json_line
from genpulse.wiring.database import UpgradePlan

_ADDS = "Processes of the version before may go on meanwhile, and afterwards."
_STOP = "Stop all processes first: versions of before {oldest} cannot work with the tables afterwards."


def show(plan: UpgradePlan, *, as_json: bool) -> None:
    """Print the plan."""
    if as_json:
        say_json_line(asdict(plan) | {"beside": plan.beside})
        return
    place = f"at {plan.current}" if plan.current else "empty"
    if not plan.migrations and not plan.concurrent:
        say(f"The database is {place}, and there is nothing to do.")
        return
    say(f"The database is {place}, and this version wants {plan.head}. Nothing is done yet.")
    _show_migrations(plan)
    _show_concurrent(plan)


def _show_migrations(plan: UpgradePlan) -> None:
    if not plan.migrations:
        return
    table = Table(
        Column("MIGRATION"),
        Column("LOCKS AGAINST OTHERS", folds=True),
        Column("READS MEANWHILE", folds=True),
        Column("BESIDE"),
    )
    for step in plan.migrations:
        locks = ", ".join(f"{name} ({mode})" for name, mode in step.locks)
        reads = ", ".join([*step.reads, *(f"{name} (written anew)" for name in step.rewrites)])
        table.add(step.revision, locks or "-", reads or "-", "yes" if step.beside else "no")
    say("")
    show_table(table)
    if plan.current is None:
        return
    say("")
    say(_ADDS if plan.beside else _STOP.format(oldest=plan.migrations[-1].works_with))
    say("Whoever needs a locked table waits for 150 ms at most, and for what the step takes then.")


def _show_concurrent(plan: UpgradePlan) -> None:
    if not plan.concurrent:
        return
    say("")
    say("Then, one after the other, while everybody reads and writes (SHARE UPDATE EXCLUSIVE):")
    table = Table(Column("READS"), Column("ROWS"), Column("SIZE"), Column("STATEMENT", folds=True))
    for step in plan.concurrent:
        again = " (half of it is there, and is dropped first)" if step.again else ""
        size = f"{step.size.bytes / 1e6:,.0f} MB"
        table.add(step.table, f"{step.size.rows:,}", size, step.statement + again)
    show_table(table)

"""What must be true of the money in the end, whatever was done: a row for each promise."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from genpulse.domain.money.ledger import Balance, LedgerEntry
from tests.chaos.finding import Finding
from tests.chaos.money.account_facts import AccountFacts, Place
from tests.chaos.money.auditor import Auditor
from tests.chaos.money.buyer import Buyer
from tests.chaos.money.market import Shop, price_usd


@dataclass(frozen=True)
class Doubt:
    """A task of which nobody knows what it cost: what the ledger has, and what the shop took."""

    task_id: str
    code: str
    shop: str
    settled_usd: Decimal
    charged_usd: Decimal
    price_usd: Decimal

    @property
    def is_by_the_rule(self) -> bool:
        """Whether what is settled is the price, once."""
        return self.settled_usd == self.price_usd

    def __str__(self) -> str:
        return (
            f"{self.task_id} ({self.code}) at {self.shop}: settled {self.settled_usd}, charged {self.charged_usd},"
            f" price {self.price_usd}"
        )


def differences(facts: AccountFacts) -> tuple[Doubt, ...]:
    """Every task and shop where the ledger is not what the shop's books say."""
    places = ((task_id, shop) for task_id in facts.tasks for shop in Shop)
    found = (_doubt(facts, task_id, shop) for task_id, shop in places)
    return tuple(one for one in found if one.settled_usd != one.charged_usd)


def _doubt(facts: AccountFacts, task_id: str, shop: Shop) -> Doubt:
    return Doubt(
        task_id,
        facts.code(task_id),
        shop,
        facts.settled_usd(task_id, shop),
        facts.charged_usd(task_id, shop),
        price_usd(shop, facts.tasks[task_id]["number"]),
    )


def audit(facts: AccountFacts, buyer: Buyer, auditor: Auditor) -> tuple[Finding, ...]:
    """One finding a promise."""
    return (*_bought(facts, buyer), *_paid(facts), *_entered(facts), *_counted(facts, auditor))


def _bought(facts: AccountFacts, buyer: Buyer) -> Iterable[Finding]:
    answered = len(buyer.ids) + len(buyer.refused)
    missing = {*buyer.ids.values()} ^ {*facts.tasks}
    open_ = [f"{key} ({task['status']})" for key, task in facts.tasks.items() if task["finished_at"] is None]
    yield Finding("each order was taken, or refused for a budget", answered, tuple(buyer.odd))
    yield Finding("what was accepted is there, once", len(buyer.ids), tuple(missing))
    yield Finding("every task has ended", len(facts.tasks), tuple(open_))


def _paid(facts: AccountFacts) -> Iterable[Finding]:
    unequal = differences(facts)
    sure = [one for one in unequal if not facts.is_doubtful(one.task_id)]
    doubts = [one for one in unequal if facts.is_doubtful(one.task_id)]
    known = sum(not facts.is_doubtful(task_id) for task_id in facts.tasks)
    yield Finding("no task was paid for twice, at one shop or at two", len(facts.charges), tuple(_twice(facts)))
    yield Finding("what is known cost what the shop took, to the cent", known, tuple(map(str, sure)))
    yield Finding(
        "where nobody knows, the price is settled, once",
        len(doubts),
        tuple(str(one) for one in doubts if not one.is_by_the_rule),
    )
    yield Finding("each shop took what the ledger says, but for these", len(Shop), tuple(_unexplained(facts)))


def _twice(facts: AccountFacts) -> Iterable[str]:
    for task_id, charges in facts.charges.items():
        paid = [f"{one.sale.shop} {one.usd} ({one.why})" for one in charges if one.usd]
        if len(paid) > 1:
            yield f"{task_id} ({facts.code(task_id)}): {' and '.join(paid)}"


def _unexplained(facts: AccountFacts) -> Iterable[str]:
    for shop, (took, settled, doubtful) in totals(facts).items():
        if took != settled - doubtful:
            yield f"{shop}: took {took}, and the ledger has {settled}, of which {doubtful} are explained"


def totals(facts: AccountFacts) -> Mapping[str, tuple[Decimal, Decimal, Decimal]]:
    """By shop: what it took by its books, what the ledger has, and by how much doubts make that more."""
    took: defaultdict[str, Decimal] = defaultdict(Decimal)
    more: defaultdict[str, Decimal] = defaultdict(Decimal)
    for charges in facts.charges.values():
        for charge in charges:
            took[charge.sale.shop] += charge.usd
    for one in differences(facts):
        if facts.is_doubtful(one.task_id):
            more[one.shop] += one.settled_usd - one.charged_usd
    entries = [entry for rows in facts.entries.values() for entry in rows]
    settled = {shop: Balance.of(one for one in entries if one.provider == shop).cost_usd for shop in Shop}
    return {shop: (took[shop], settled[shop], more[shop]) for shop in Shop}


def _entered(facts: AccountFacts) -> Iterable[Finding]:
    balances = {task_id: Balance.of(rows) for task_id, rows in facts.entries.items()}
    open_ = [f"{task_id}: {one.open_usd} USD" for task_id, one in balances.items() if one.open_usd]
    strange = [task_id for task_id in facts.entries if task_id not in facts.tasks]
    negative = [f"{task_id}: {one.cost_usd} USD" for task_id, one in balances.items() if one.cost_usd < 0]
    yield Finding("of each task, reserved is settled and released", len(balances), (*open_, *strange))
    yield Finding("no task cost less than nothing", len(balances), tuple(negative))


def _counted(facts: AccountFacts, auditor: Auditor) -> Iterable[Finding]:
    days = {place: usd for place, usd in facts.counters.items() if ":" not in place[1]}
    providers = {place: usd for place, usd in facts.counters.items() if place[1].startswith("provider:")}
    entries = [entry for rows in facts.entries.values() for entry in rows]
    by_owner = _added(entries, lambda one: {"", one.owner}, lambda one: one.counted_usd)
    by_provider = _added(entries, lambda one: {f"provider:{one.provider}"}, lambda one: one.cost_usd)
    yield Finding("counters of days and owners are the ledger's", len(days), tuple(_unlike(days, by_owner)))
    yield Finding("counters of providers are the ledger's", len(providers), tuple(_unlike(providers, by_provider)))
    over = (f"{name}, {times} times" for name, times in auditor.over.items())
    yield Finding("no budget was passed at any moment", auditor.looks, tuple(over))


def _added(entries: Iterable[LedgerEntry], names, usd_of) -> Mapping[Place, Decimal]:
    grouped: defaultdict[Place, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for name in names(entry):
            grouped[entry.day, name] += usd_of(Balance.of([entry]))
    return {place: usd for place, usd in grouped.items() if usd}


def _unlike(counters: Mapping[Place, Decimal], ledger: Mapping[Place, Decimal]) -> Iterable[str]:
    for place in sorted({*counters, *ledger}):
        if counters.get(place, 0) != ledger.get(place, 0):
            yield f"{place[0]} {place[1] or 'all'}: {counters.get(place, 0)}, by the ledger {ledger.get(place, 0)}"

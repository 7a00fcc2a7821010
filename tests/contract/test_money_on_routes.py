"""Tasks on routes pay each vendor what it charged: entries and counters are those of a plain list of bills."""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import Canceled, Failed, Lease, MovedOn, Released, RetryLater, Succeeded
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import Allowance, BudgetScope, ScopeKind
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.ledger import AmountSource, Balance, EntryKind
from genpulse.domain.money.settlement import settlement_of
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.routing.task_route import CIRCUIT_OPEN, RouteHop, RouteTarget, TaskRoute
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import RouteMove
from tests.contract.conftest import Backend, new_task
from tests.contract.ledger_books import check_ledger, entries_of
from tests.database_clock import make_clock, set_clock
from tests.drawn import examples

START = datetime(2027, 1, 30, 22, tzinfo=UTC)
LARGE = Decimal(10**9)
PROVIDERS = ("fal", "replicate", "sandbox")
KEY = "0190a1b2-0000-7000-8000-00000000000a"
PRICES = (None, Decimal(0), Decimal("0.003"), Decimal("0.04"), Decimal("1.5"))
FREE_OR_UNKNOWN = (None, Decimal(0))
COSTS = (None, "0", "0.002", "0.04", "7", "NaN", "-1", "1E+40")
LIMITS = SpendingLimits(
    daily_usd=LARGE,
    key=KeyLimits(limit_by="customer", customer=Allowance(daily_usd=LARGE, max_active_tasks=10**6)),
)
SCOPES = (
    *(BudgetScope(ScopeKind.PROVIDER, name) for name in PROVIDERS),
    BudgetScope(ScopeKind.CUSTOMER, "acme", KEY),
)
COUNTED = "SELECT owner, sum(usd) AS usd, sum(active)::int AS active FROM spending GROUP BY owner"


def failure(charged: Charged) -> Failure:
    return Failure(FailureCode.MODERATION_BLOCKED, "", retryable=True, charged=charged, who_must_act=Actor.CALLER)


def target(provider: str, price: Decimal | None) -> RouteTarget:
    return RouteTarget(f"{provider}/m", price_usd=price, rule_version=f"rule of {provider}")


@dataclass
class Known:
    """A task as the bills have it: while it lives its price is among the sums of the provider `counts_at`."""

    task: Task
    counts_at: str
    lease: Lease | None = None
    is_asked: bool = False
    is_open: bool = False
    is_unwanted: bool = False
    settled: Decimal | None = None

    @property
    def route(self) -> TaskRoute:
        assert self.task.route is not None
        return self.task.route

    @property
    def price(self) -> Decimal:
        return self.task.price_usd or Decimal(0)

    @property
    def here(self) -> Decimal:
        return self.route.current.price_usd or Decimal(0)


class Play:
    """Does something to some task, again and again, and writes down what each vendor charges."""

    def __init__(self, backend, chance, set_now):
        self.backend, self.store, self.random, self.set_now = backend, backend.store, chance, set_now
        self.now, self.tasks, self.bills = START, {}, defaultdict(Decimal)

    def pick(self, of):
        return self.random.choice(list(of))

    async def turn(self):
        usual = (self.submit, self.submit, self.claim, self.claim, self.claim, self.ask, self.ask, self.ask)
        rare = (self.cancel, self.retry, self.move, self.wait, self.expire)
        await self.pick((*usual, *[self.finish] * 4, *rare))()
        await self.check()

    def some(self, condition):
        """A task of those for which that holds, None where there is none."""
        found = [known for known in self.tasks.values() if condition(known)]
        return self.pick(found) if found else None

    async def submit(self):
        chosen = self.random.sample(PROVIDERS, self.random.randint(1, 3))
        prices = self.pick([PRICES, PRICES, FREE_OR_UNKNOWN])
        targets = tuple(target(name, self.pick(prices)) for name in chosen)
        route = TaskRoute("", targets, frozenset())
        new = new_task(
            provider=chosen[0],
            model=f"{chosen[0]}/m",
            price_usd=route.price_usd,
            route=route,
            rule_version="rule of the dearest" if route.price_usd else "",
            owner=self.pick(["", KEY]),
            metadata={"customer": "acme"},
            deadline_s=self.pick([None, None, 7200.0]),
        )
        task = (await self.store.submit(new, LIMITS)).task
        self.tasks[new.id] = Known(task, chosen[0])

    async def claim(self):
        for begun in await self.backend.claim(*PROVIDERS, at_most=3):
            known = self.tasks[begun.task.id]
            known.task, known.lease, known.is_asked = begun.task, begun.lease, False

    async def ask(self):
        """As a worker does: the price counts where it is paid, and then the order is sent, or none is."""
        if known := self.some(lambda one: one.lease and not one.is_asked):
            await self.store.hold_price(known.task, LIMITS)
            known.counts_at = known.task.provider
            if self.random.random() < 0.8:
                await self.store.journal_order(known.lease)
                known.is_asked, known.is_open, known.settled = True, True, None

    async def finish(self):
        if known := self.some(lambda one: one.lease):
            outcome = self.outcome(known)
            failed = isinstance(outcome, Failed | RetryLater)
            keeps = failed and outcome.failure.charged is Charged.MAYBE and known.is_open
            stays_open = keeps or (isinstance(outcome, Released) and known.is_open)
            self.bill(known, outcome, stays_open=stays_open)
            await self.backend.end(known.lease, outcome, order_open=stays_open)
            stands = outcome.route if isinstance(outcome, MovedOn) and not known.is_unwanted else known.route
            known.task, known.lease = await self.store.get(known.task.id), None
            assert (known.task.model, known.route.place) == (stands.current.model, stands.place)
            known.is_open, known.is_asked = stays_open, False

    def outcome(self, known):
        charges = list(Charged) if known.is_open else [Charged.NO]
        cost, lost = self.pick(COSTS), failure(self.pick(charges))
        reported = None if cost is None else Cost(Decimal(cost), currency=self.pick(["USD", "USD", "USD", "EUR"]))
        outcomes = [Failed(lost), RetryLater(lost, 0.0, counts=False), Canceled(), Released()]
        if known.is_open:
            taken = settlement_of(reported, known.task.model_price_usd).cost
            outcomes += [Succeeded((), taken)] * 2
        if known.route.rest:
            outcomes += [self.hop(known, self.pick([one for one in charges if one is not Charged.MAYBE]))] * 3
        return self.pick(outcomes)

    def hop(self, known, charged):
        refused, task = failure(charged), known.task
        why = RouteHop(task.model, task.attempt, refused.code.value, "", self.now, charged)
        models = self.pick([(), [one.model for one in known.route.rest[-1:]]])
        return MovedOn(refused, task.model, known.route.left_for_next(why, models))

    def bill(self, known, outcome, *, stays_open):
        """What the vendor charges, as far as anybody knows; one order is paid for once."""
        bill, before = Decimal(0), known.settled
        match outcome:
            case Succeeded(_, cost):
                counts = cost.counts_usd if cost else None
                bill = (known.here if counts is None else counts) - (before or 0)
            case Failed(failed) | RetryLater(failed) | MovedOn(failed):
                if failed.charged is not Charged.NO:
                    bill = known.here if before is None else Decimal(0)
                elif not stays_open:
                    bill = -(before or Decimal(0))
                if stays_open and failed.charged is not Charged.NO and known.here:
                    known.settled = known.here if before is None else before
            case Canceled():
                bill = known.here if known.is_open and before is None else Decimal(0)
        self.bills[known.task.model, known.task.owner] += bill
        if not stays_open:
            known.settled = None

    async def cancel(self):
        if known := self.some(lambda one: not one.task.status.ended):
            await self.store.cancel(known.task.id)
            known.task, known.is_unwanted = await self.store.get(known.task.id), True

    async def expire(self):
        for task in await self.store.expire():
            self.tasks[task.id].task = task

    async def retry(self):
        if known := self.some(lambda one: one.task.status is TaskStatus.FAILED):
            keeps = self.random.random() < 0.7
            known.task = await self.store.retry(known.task.id, keeps_order=keeps, limits=LIMITS)
            known.counts_at, known.is_unwanted = known.task.provider, False
            if not keeps:
                known.is_open, known.settled = False, None

    async def move(self):
        """To the next model, since the circuit of its provider is open."""
        waiting = await self.store.waiting_on_routes([self.pick(PROVIDERS)], PROVIDERS, 2)
        why = RouteHop("", 0, CIRCUIT_OPEN, "", self.now)
        moves = [RouteMove(task, task.route.left_for_next(replace(why, model=task.model), ())) for task in waiting]
        assert all(not self.tasks[task.id].is_open for task in waiting)
        for task in await self.store.move_on(moves) if moves else ():
            self.tasks[task.id].task = task

    async def wait(self):
        self.now += timedelta(hours=self.pick([1, 2, 24]))
        await self.set_now(self.now)

    async def check(self):
        await check_ledger(self.store)
        entries, billed = await entries_of(self.store), defaultdict(Decimal)
        for entry in entries:
            assert entry.model.startswith(f"{entry.provider}/")
            billed[entry.model, entry.owner] += Balance.of([entry]).cost_usd
            if entry.kind is EntryKind.SETTLED and entry.source is AmountSource.PRICE:
                assert entry.rule_version == f"rule of {entry.provider}"
        assert nonzero(billed) == nonzero(self.bills)
        assert await self.counted() == self.expected()

    def expected(self):
        """What each vendor charged and the end customer caused, with the prices of tasks that live."""
        sums = defaultdict(Decimal)
        for (model, owner), usd in self.bills.items():
            for scope in self.scopes(model.partition("/")[0], owner):
                sums[scope.counter] += usd
        for known in self.tasks.values():
            if not known.task.status.ended:
                for scope in self.scopes(known.counts_at, known.task.owner):
                    sums[scope.counter] += known.price
        return nonzero(sums)

    def scopes(self, provider, owner):
        return [scope for scope in SCOPES if scope.name == provider or (owner and scope.owner == owner)]

    async def counted(self):
        """Of all days together."""
        names = {scope.counter for scope in SCOPES}
        if isinstance(self.store, MemoryTaskStore):
            sums = defaultdict(Decimal)
            for (_, counter), usd in self.store._ledger._usd.items():
                sums[counter] += usd
        else:
            sums = {row["owner"]: row["usd"] for row in await self.store._pool.fetch(COUNTED)}
        return nonzero({name: usd for name, usd in sums.items() if name in names})


def nonzero(sums):
    return {name: usd for name, usd in sums.items() if usd}


async def play_in_memory(chance, turns):
    clock = [START]

    async def set_now(at):
        clock[0] = at

    queue = MemoryTaskQueue()
    play = Play(Backend(MemoryTaskStore(queue, now=lambda: clock[0]), queue), chance, set_now)
    for _ in range(turns):
        await play.turn()


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_in_memory_each_vendor_gets_what_it_charged(chance):
    asyncio.run(play_in_memory(chance, 60))


@pytest.mark.parametrize("seed", range(2))
async def test_in_the_database_each_vendor_gets_what_it_charged(own_database_url, seed):
    await make_clock(own_database_url, START)
    pool = await open_pool(own_database_url, size=3, application_name="tests")
    queue = PostgresTaskQueue(pool, own_database_url)
    backend = Backend(PostgresTaskStore(pool), queue)
    play = Play(backend, random.Random(seed), lambda at: set_clock(pool, at))
    for _ in range(200):
        await play.turn()
    await queue.close()
    await play.store.close()
    await pool.close()


DEAR, CHEAP = target("fal", Decimal("1.5")), target("replicate", Decimal("0.003"))
UNKNOWN, OTHER = target("sandbox", None), target("replicate", None)


async def hopped(backend, *targets, charged):
    """What runs at the second of these models, after the first one refused it."""
    route = TaskRoute("", targets, frozenset())
    first, second = (one.provider for one in targets)
    new = new_task(provider=first, model=f"{first}/m", route=route, price_usd=route.price_usd)
    await backend.store.submit(new, LIMITS)
    for provider in (first, second):
        (begun,) = await backend.claim(provider)
        await backend.store.hold_price(begun.task, LIMITS)
        await backend.store.journal_order(begun.lease)
        if provider is first:
            why = RouteHop(f"{first}/m", 1, "moderation_blocked", "", begun.attempt.started_at, charged)
            await backend.end(begun.lease, MovedOn(failure(charged), f"{first}/m", route.left_for_next(why, ())))
    return begun


@pytest.mark.parametrize("by_hand", [False, True])
async def test_what_was_settled_before_there_was_a_budget_is_not_refunded_to_it(backend, by_hand):
    begun = await backend.begun(price_usd=Decimal("0.04"), owner=KEY, metadata={"customer": "acme"})
    await backend.store.journal_order(begun.lease)
    lost = failure(Charged.MAYBE)
    await backend.end(begun.lease, Failed(lost) if by_hand else RetryLater(lost, 0.0), order_open=True)
    if by_hand:
        await backend.store.retry(begun.task.id, limits=LIMITS)
    (again,) = await backend.claim()
    await backend.store.hold_price(again.task, LIMITS)
    await backend.end(again.lease, Succeeded((), Cost(Decimal("0.03"))))
    counted = await backend.store.counted(SCOPES)
    assert {counted.usage_of(scope.counter).today_usd for scope in SCOPES} == {Decimal(0)}
    assert {counted.usage_of(scope.counter).active_tasks for scope in SCOPES} == {0}
    assert await backend.store.spent_usd() == Decimal("0.03")


async def lines(backend, task_id):
    entries = await backend.store.ledger(task_id)
    return [f"{one.kind} {one.amount_usd} {one.provider} {one.source}" for one in entries]


@pytest.mark.parametrize(
    ("targets", "charged", "cost", "entered"),
    [
        ((DEAR, CHEAP), Charged.NO, None, ["settled 0.003 replicate price", "released 1.497 replicate price"]),
        (
            (CHEAP, DEAR),
            Charged.YES,
            "0.9",
            [
                *("reserved 0.003 replicate price", "settled 0.003 replicate price"),
                *("settled 0.9 fal vendor", "released 0.6 fal price"),
            ],
        ),
        ((DEAR, CHEAP), Charged.NO, "0.04", ["settled 0.003 replicate price", "released 1.497 replicate price"]),
        (
            (UNKNOWN, OTHER),
            Charged.NO,
            "0.04",
            ["reserved 0.04 replicate vendor", "settled 0.04 replicate vendor"],
        ),
        ((DEAR, UNKNOWN), Charged.NO, None, ["released 1.5 sandbox price"]),
    ],
    ids=["nobody says", "both charge", "beyond reason there", "no prices", "no price there"],
)
async def test_what_each_model_charges_is_by_its_own_price(backend, targets, charged, cost, entered):
    begun = await hopped(backend, *targets, charged=charged)
    reported = None if cost is None else Cost(Decimal(cost))
    settlement = settlement_of(reported, begun.task.model_price_usd)
    await backend.end(begun.lease, Succeeded((), settlement.cost))
    reserved = [f"reserved {begun.task.price_usd} {targets[0].provider} price"] if begun.task.price_usd else []
    assert await lines(backend, begun.task.id) == [*reserved, *entered]
    await check_ledger(backend.store)
    bills = defaultdict(Decimal)
    for entry in await backend.store.ledger(begun.task.id):
        bills[entry.provider] += Balance.of([entry]).cost_usd
    scopes = [BudgetScope(ScopeKind.PROVIDER, one.provider) for one in targets]
    counted = await backend.store.counted(scopes)
    for scope in scopes:
        assert counted.usage_of(scope.counter).today_usd == bills[scope.name]

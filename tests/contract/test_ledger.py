"""The ledger: what is entered when, and what its sums are whatever happens in whatever order."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import Canceled, End, Failed, MovedOn, Released, RetryLater, Succeeded
from genpulse.domain.errors import LeaseLost, NotRetryable
from genpulse.domain.failure import Charged
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.ledger import Balance
from genpulse.domain.money.settlement import settlement_of
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.routing.task_route import RouteTarget, TaskRoute
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import new_ids, new_task, new_worker, now
from tests.contract.ledger_books import check_ledger, entries_of
from tests.contract.machine_run import run_on_postgresql
from tests.contract.test_money import failure
from tests.drawn import examples
from tests.tables import emptied

EXAMPLES = 30
PRICE = Decimal("0.04")
OWNERS = ("", "anna", "bert")
PRICES = (None, Decimal(0), PRICE, Decimal("1.5"), Decimal("0.000001"))
COSTS = (None, "0", "0.03", "0.04", "2.25", "500", "NaN", "Infinity", "-1", "1E+40")
OUTCOMES = (
    *(Failed(failure(charged)) for charged in Charged),
    *(RetryLater(failure(charged), 0.0) for charged in Charged),
    Canceled(),
    Canceled(failure(Charged.MAYBE)),
    Released(),
)
TABLES = ("tasks", "task_sources", "attempts", "queue", "workers", "deliveries", "spending", "ledger")
MIDNIGHT = """
UPDATE spending SET day = day - 10000 WHERE day <> '-infinity';
UPDATE spending SET day = day + 9999 WHERE day <> '-infinity'
"""
YESTERDAY = """
UPDATE tasks SET created_at = created_at - interval '1 day', spent_day = spent_day - 1,
       order_settled_day = order_settled_day - 1
"""


def told(entry, today):
    """All of an entry but its moment; its day counts from today."""
    return (
        *(entry.kind, entry.amount_usd, entry.attempt, (entry.day - today).days, entry.source, entry.flag),
        *(entry.provider, entry.model, entry.owner, entry.environment, entry.rule_version, entry.reported),
    )


def taken(cost, price_usd):
    """An end with this cost, as an attempt makes it."""
    reported = None if cost is None else Cost(Decimal(cost))
    return Succeeded((), settlement_of(reported, price_usd).cost)


def route_of(*prices):
    """A route over models with these prices, at the first of them."""
    targets = (RouteTarget(f"sandbox/{place}", price_usd=price) for place, price in enumerate(prices))
    return TaskRoute("", tuple(targets), frozenset())


class Books(RuleBasedStateMachine):
    """Every step is taken in PostgreSQL and in memory: the entries are the same, and add up in both."""

    loop: asyncio.AbstractEventLoop
    real: PostgresTaskStore

    def __init__(self):
        super().__init__()
        self.days = 0
        self.twin = MemoryTaskStore(MemoryTaskQueue(), now=lambda: now() + timedelta(days=self.days))
        self.workers = [new_worker(name) for name in ("one", "two")]
        self.prices, self.leases, self.held, self.twins = {}, [], {}, {}
        for worker in self.workers:
            self.both(lambda store, worker=worker: store.renew(worker, now()))

    def both(self, step):
        """The results in PostgreSQL and in memory; where one refuses the other does too."""
        results = [self.loop.run_until_complete(_result(step(store))) for store in (self.real, self.twin)]
        assert isinstance(results[0], Exception) == isinstance(results[1], Exception), results
        return results

    def begins(self, step):
        """Claims of the same tasks. Which of them gets which id is not said."""
        real, twin = ({one.task.id: one.lease for one in claims} for claims in self.both(step))
        assert real.keys() == twin.keys()
        self.held |= real
        self.leases += real.values()
        self.twins |= {lease.attempt_id: twin[task_id] for task_id, lease in real.items()}

    def at(self, store, lease):
        """The lease as this store has it."""
        return lease if store is self.real else self.twins[lease.attempt_id]

    def ended(self, lease, outcome, **known):
        self.both(lambda store: store.finish(End(self.at(store, lease), outcome, **known)))

    @property
    def live(self):
        """Leases that hold."""
        return [self.held[task_id] for task_id in self.ids_in(TaskStatus.RUNNING)]

    @property
    def at_the_first(self):
        """Of these the leases of tasks that may go on at the next model of their route."""
        routes = [(lease, self.task(lease).route) for lease in self.live]
        return [lease for lease, route in routes if route is not None and route.rest]

    def task(self, lease):
        return next(task for task in self.twin.all_tasks() if task.id == lease.task_id)

    def ids_in(self, *states):
        return [task.id for task in self.twin.all_tasks() if task.status in states]

    @initialize()
    def begin(self):
        self.submit([PRICE, Decimal("1.5")], "anna", late=False)
        self.claim()

    @rule(
        prices=st.lists(st.sampled_from(PRICES), min_size=1, max_size=2),
        owner=st.sampled_from(OWNERS),
        late=st.booleans(),
        next_price=st.sampled_from([None, *PRICES]),
    )
    def submit(self, prices, owner, late, next_price=None):
        deadline_s = -86_400.0 if late else None
        for first_price in prices:
            route = route_of(first_price, next_price) if next_price is not None else None
            price = route.price_usd if route else first_price
            changes = {"price_usd": price, "route": route, "rule_version": "2030-01"}
            new = new_task(owner=owner, deadline_s=deadline_s, **changes)
            self.both(lambda store, new=new: store.submit(new))
            self.prices[new.id] = price

    @rule()
    def claim(self):
        ids = new_ids(50)
        for worker in self.workers:
            self.both(lambda store, worker=worker: store.renew(worker, now()))
        self.begins(lambda store: store.claim(self.workers[0], "sandbox", ids))

    @rule()
    def take_over(self):
        ids = new_ids(50)
        self.both(lambda store: store.leave(self.workers[0]))
        self.begins(lambda store: store.take_over(self.workers[1], ["sandbox"], ids))
        self.both(lambda store: store.renew(self.workers[0], now()))

    def order(self, lease):
        self.both(lambda store: _hold(store, lease.task_id))
        self.both(lambda store: store.journal_order(self.at(store, lease)))

    @precondition(lambda self: self.live)
    @rule(data=st.data(), cost=st.sampled_from(COSTS), ordered=st.booleans())
    def succeed(self, data, cost, ordered):
        lease = data.draw(st.sampled_from(self.live))
        if ordered:
            self.order(lease)
        self.ended(lease, taken(cost, self.task(lease).model_price_usd))

    @precondition(lambda self: self.at_the_first)
    @rule(data=st.data(), charged=st.sampled_from(Charged))
    def move_on(self, data, charged):
        lease = data.draw(st.sampled_from(self.at_the_first))
        task = self.task(lease)
        self.ended(lease, MovedOn(failure(charged), task.model, replace(task.route, place=1)))
        self.claim()

    @precondition(lambda self: self.live)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(OUTCOMES),
        ordered=st.booleans(),
        is_open=st.booleans(),
        again=st.booleans(),
    )
    def end_otherwise(self, data, outcome, ordered, is_open, again):
        lease = data.draw(st.sampled_from(self.live))
        if ordered:
            self.order(lease)
        self.ended(lease, outcome, order_open=is_open)
        if again and lease.task_id in self.ids_in(TaskStatus.FAILED):
            self.both(lambda store: store.retry(lease.task_id, keeps_order=is_open))
        if again:
            self.claim()

    @precondition(lambda self: self.live)
    @rule(data=st.data(), by_hand=st.booleans(), later=st.booleans())
    def leave_an_order_open(self, data, by_hand, later):
        """Nobody knows what became of it, and another attempt begins."""
        lease, lost = data.draw(st.sampled_from(self.live)), failure(Charged.MAYBE)
        self.both(lambda store: store.journal_order(self.at(store, lease)))
        outcome = Failed(lost) if by_hand else RetryLater(lost, 0.0)
        self.ended(lease, outcome, order_open=True)
        if later:
            self.let_a_day_pass()
        if by_hand:
            self.both(lambda store: store.retry(lease.task_id))
        self.claim()

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES))
    def end_under_any_lease(self, data, outcome):
        lease = data.draw(st.sampled_from(self.leases))
        self.ended(lease, outcome)

    @precondition(lambda self: self.ids_in(TaskStatus.QUEUED, TaskStatus.RUNNING))
    @rule(data=st.data())
    def cancel(self, data):
        task_id = data.draw(st.sampled_from(self.ids_in(TaskStatus.QUEUED, TaskStatus.RUNNING)))
        for _ in range(2):
            self.both(lambda store: store.cancel(task_id))

    @precondition(lambda self: self.ids_in(TaskStatus.FAILED))
    @rule(data=st.data(), keeps=st.sampled_from([True, True, False]), is_over=st.booleans())
    def retry(self, data, keeps, is_over):
        task_id = data.draw(st.sampled_from(self.ids_in(TaskStatus.FAILED)))
        if is_over:
            self.both(lambda store: _close(store, task_id))
        self.both(lambda store: store.retry(task_id, keeps_order=keeps))

    @rule()
    def expire(self):
        self.both(lambda store: store.expire())

    @rule()
    def let_a_day_pass(self):
        self.days += 1
        self.loop.run_until_complete(self._let_a_day_pass())

    async def _let_a_day_pass(self):
        async with self.real._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(f"{YESTERDAY}; {MIDNIGHT}; UPDATE ledger SET day = day - 1")

    @invariant()
    def the_books_are_right_and_the_same(self):
        today = datetime.now(UTC).date()
        stores = {self.real: today, self.twin: today + timedelta(days=self.days)}
        entries = {store: self.loop.run_until_complete(entries_of(store)) for store in stores}
        for task_id in self.prices:
            real, twin = (
                [told(entry, day) for entry in entries[store] if entry.task_id == task_id]
                for store, day in stores.items()
            )
            assert real == twin
        for store in stores:
            self.loop.run_until_complete(check_ledger(store))

    def teardown(self):
        self.loop.run_until_complete(self.real._pool.execute(emptied(TABLES)))


async def _hold(store, task_id):
    await store.hold_price(await store.get(task_id), SpendingLimits(Decimal(10**9)))


async def _close(store, task_id):
    task = await store.get(task_id)
    if task.order is not None:
        await store.close_order(task_id, task.order.reference)


async def _result(step):
    try:
        return await step
    except (LeaseLost, NotRetryable) as error:
        return error


@pytest.mark.hypothesis
def test_for_every_order_of_events_the_sums_are_right(migrated_url):
    run_on_postgresql(Books, migrated_url, lambda store, _: store, examples=examples(EXAMPLES))


async def lines(backend, task_id):
    """What was entered about a task, in words."""
    entries = await backend.store.ledger(task_id)
    return [f"{one.attempt} {one.kind} {one.amount_usd} {one.source}{_flag(one)}" for one in entries]


def _flag(entry):
    reported = f" ({entry.reported})" if entry.reported else ""
    return f" {entry.flag}{reported}" if entry.flag else ""


@pytest.mark.parametrize(
    ("outcome", "entered"),
    [
        (taken("0.04", PRICE), ["1 settled 0.04 vendor"]),
        (taken("0.03", PRICE), ["1 settled 0.03 vendor", "1 released 0.01 price"]),
        (taken("0.05", PRICE), ["1 reserved 0.01 vendor", "1 settled 0.05 vendor"]),
        (taken("0", PRICE), ["1 released 0.04 price"]),
        (taken(None, PRICE), ["1 settled 0.04 price"]),
        (Succeeded((), Cost(Decimal("0.02"), estimated=True)), ["1 settled 0.02 rule", "1 released 0.02 price"]),
        (
            Succeeded((), Cost(Decimal("0.02"), rule_version="2030-02")),
            ["1 settled 0.02 rule", "1 released 0.02 price"],
        ),
        (
            Succeeded((), Cost(Decimal("0.05"), rule_version="2030-02")),
            ["1 reserved 0.01 rule", "1 settled 0.05 rule"],
        ),
        (Succeeded((), Cost(PRICE, True, rule_version="2030-02")), ["1 settled 0.04 rule"]),
        (taken("0.40", PRICE), ["1 reserved 0.36 vendor", "1 settled 0.40 vendor"]),
        (taken("0.41", PRICE), ["1 settled 0.04 price absurd (0.41 USD)"]),
        (taken("-1", PRICE), ["1 settled 0.04 price negative (-1 USD)"]),
        (taken("NaN", PRICE), ["1 settled 0.04 price not_a_number (NaN USD)"]),
        (
            Succeeded((), settlement_of(Cost(1, currency="EUR"), PRICE).cost),
            ["1 settled 0.04 price currency (1 EUR)"],
        ),
        (Failed(failure(Charged.NO)), ["1 released 0.04 price"]),
        (Failed(failure(Charged.YES)), ["1 settled 0.04 price"]),
        (Failed(failure(Charged.MAYBE)), ["1 settled 0.04 price unsure"]),
        (RetryLater(failure(Charged.NO), 0.0), []),
        (RetryLater(failure(Charged.YES), 0.0), ["1 reserved 0.04 price", "1 settled 0.04 price"]),
        (Canceled(), ["1 settled 0.04 price"]),
        (Released(), []),
    ],
)
async def test_what_the_end_of_an_attempt_enters(backend, outcome, entered):
    begun = await backend.begun(price_usd=PRICE, rule_version="2030-01")
    await backend.store.journal_order(begun.lease)
    await backend.end(begun.lease, outcome)
    assert await lines(backend, begun.task.id) == ["0 reserved 0.04 price", *entered]
    versions = {entry.source: entry.rule_version for entry in await backend.store.ledger(begun.task.id)}
    computed = outcome.cost.rule_version if isinstance(outcome, Succeeded) and outcome.cost else ""
    assert versions == {source: {"price": "2030-01", "rule": computed}.get(source, "") for source in versions}
    await check_ledger(backend.store)


DEAREST = Decimal("0.10")


@pytest.mark.parametrize("is_at_the_first", [True, False])
@pytest.mark.parametrize(
    ("outcome", "entered"),
    [
        (taken(None, PRICE), ["settled 0.04 price", "released 0.06 price"]),
        (Succeeded(()), ["settled 0.04 price", "released 0.06 price"]),
        (taken("0.41", PRICE), ["settled 0.04 price absurd (0.41 USD)", "released 0.06 price"]),
        (Failed(failure(Charged.YES)), ["settled 0.04 price", "released 0.06 price"]),
        (Failed(failure(Charged.MAYBE)), ["settled 0.04 price unsure", "released 0.06 price"]),
        (RetryLater(failure(Charged.YES), 0.0), ["reserved 0.04 price", "settled 0.04 price"]),
        (Canceled(), ["settled 0.04 price", "released 0.06 price"]),
    ],
)
async def test_on_a_route_the_price_of_the_model_is_settled_and_not_that_of_the_dearest(
    backend, outcome, entered, is_at_the_first
):
    route = route_of(PRICE, DEAREST) if is_at_the_first else route_of(DEAREST, PRICE)
    begun = await backend.begun(price_usd=DEAREST, route=route, model=route.current.model)
    if not is_at_the_first:
        await backend.end(begun.lease, MovedOn(failure(Charged.NO), begun.task.model, replace(route, place=1)))
        (begun,) = await backend.claim()
    await backend.store.journal_order(begun.lease)
    await backend.end(begun.lease, outcome)
    attempt = begun.task.attempt
    assert await lines(backend, begun.task.id) == [
        "0 reserved 0.10 price",
        *(f"{attempt} {line}" for line in entered),
    ]
    await check_ledger(backend.store)


@pytest.mark.parametrize("price", [None, PRICE])
async def test_what_was_settled_for_an_open_order_on_a_route_is_given_back_whole(backend, price):
    """A model whose own price nobody knows settles nothing, as without a route."""
    begun = await backend.begun(price_usd=DEAREST, route=route_of(price, DEAREST), model="sandbox/0")
    await backend.store.journal_order(begun.lease)
    await backend.end(begun.lease, RetryLater(failure(Charged.MAYBE), 0.0), order_open=True)
    assert Balance.of(await backend.store.ledger(begun.task.id)).cost_usd == (price or 0)
    (again,) = await backend.claim()
    await backend.end(again.lease, taken("0.03", price))
    assert Balance.of(await backend.store.ledger(begun.task.id)).cost_usd == Decimal("0.03")
    await check_ledger(backend.store)


@pytest.mark.parametrize(
    ("cost", "entered"),
    [
        ("0.03", ["1 reserved 0.03 vendor", "1 settled 0.03 vendor"]),
        ("0", []),
        (None, []),
        ("NaN", ["1 settled 0 price not_a_number (NaN USD)"]),
    ],
)
@pytest.mark.parametrize("price", [None, Decimal(0)])
async def test_a_task_without_a_price_enters_what_it_cost_and_nothing_else(backend, price, cost, entered):
    begun = await backend.begun(price_usd=price)
    await backend.end(begun.lease, taken(cost, price))
    assert await lines(backend, begun.task.id) == entered
    await check_ledger(backend.store)


async def test_what_does_not_begin_gives_back_what_it_reserved(backend):
    canceled = (await backend.store.submit(new_task(price_usd=PRICE))).task
    late = (await backend.store.submit(new_task(price_usd=PRICE, deadline_s=-1.0))).task
    await backend.store.cancel(canceled.id)
    await backend.store.cancel(canceled.id)
    await backend.store.expire()
    for task in (canceled, late):
        assert await lines(backend, task.id) == ["0 reserved 0.04 price", "0 released 0.04 price"]


async def test_what_is_canceled_between_two_attempts_or_before_an_order_costs_nothing(backend):
    begun = await backend.begun(price_usd=PRICE)
    await backend.end(begun.lease, RetryLater(failure(Charged.NO), 3600.0))
    await backend.store.cancel(begun.task.id)
    assert await lines(backend, begun.task.id) == ["0 reserved 0.04 price", "1 released 0.04 price"]
    begun = await backend.begun(price_usd=PRICE)
    await backend.end(begun.lease, Canceled())
    assert await lines(backend, begun.task.id) == ["0 reserved 0.04 price", "1 released 0.04 price"]


@pytest.mark.parametrize("by_hand", [False, True])
async def test_an_order_that_was_left_open_is_paid_for_once(backend, by_hand):
    """What was settled for it when nobody knew its end is given back when somebody does."""
    begun = await backend.begun(price_usd=PRICE)
    await backend.store.journal_order(begun.lease)
    maybe = failure(Charged.MAYBE)
    await backend.end(begun.lease, Failed(maybe) if by_hand else RetryLater(maybe, 0.0), order_open=True)
    if by_hand:
        await backend.store.retry(begun.task.id)
    (again,) = await backend.claim()
    await backend.end(again.lease, taken("0.03", PRICE))
    first = ["1 settled 0.04 price unsure", "1 reserved 0.04 price"]
    assert await lines(backend, begun.task.id) == [
        "0 reserved 0.04 price",
        *(first if by_hand else reversed(first)),
        *("2 refunded 0.04 price", "2 settled 0.03 vendor", "2 released 0.01 price"),
    ]
    assert Balance.of(await backend.store.ledger(begun.task.id)).cost_usd == Decimal("0.03")
    assert await backend.store.spent_usd() == Decimal("0.03")


async def test_an_order_that_is_made_anew_is_paid_for_twice(backend):
    begun = await backend.begun(price_usd=PRICE)
    await backend.store.journal_order(begun.lease)
    await backend.end(begun.lease, RetryLater(failure(Charged.MAYBE), 0.0), order_open=True)
    (again,) = await backend.claim()
    await backend.store.journal_order(again.lease)
    await backend.end(again.lease, taken("0.04", PRICE))
    assert Balance.of(await backend.store.ledger(begun.task.id)).cost_usd == 2 * PRICE


@pytest.mark.parametrize("is_over", [False, True])
async def test_an_order_that_is_over_or_forgotten_is_not_given_back_by_the_next_one(backend, is_over):
    begun = await backend.begun(price_usd=PRICE)
    order = await backend.store.journal_order(begun.lease)
    await backend.end(begun.lease, Failed(failure(Charged.MAYBE)), order_open=True)
    if is_over:
        await backend.store.close_order(begun.task.id, order.reference)
    await backend.store.retry(begun.task.id, keeps_order=is_over)
    (again,) = await backend.claim()
    await backend.end(again.lease, taken("0.04", PRICE))
    assert Balance.of(await backend.store.ledger(begun.task.id)).cost_usd == 2 * PRICE
    await check_ledger(backend.store)


async def test_an_end_that_is_told_twice_is_entered_once(backend):
    begun = await backend.begun(price_usd=PRICE)
    await backend.end(begun.lease, taken("0.03", PRICE))
    with pytest.raises(LeaseLost):
        await backend.end(begun.lease, taken("0.03", PRICE))
    assert len(await backend.store.ledger(begun.task.id)) == 3


async def test_what_came_in_is_told_once(backend):
    await backend.begun(price_usd=PRICE)
    first = await backend.store.money_flows(None)
    assert first.flows == ()
    begun = await backend.begun(price_usd=PRICE)
    await backend.end(begun.lease, taken("0.03", PRICE))
    told_now = await backend.store.money_flows(first.mark)
    assert {(flow.kind, flow.model, flow.amount_usd) for flow in told_now.flows} == {
        ("reserved", "sandbox/noop", PRICE),
        ("settled", "sandbox/noop", Decimal("0.03")),
        ("released", "sandbox/noop", Decimal("0.01")),
    }
    assert (await backend.store.money_flows(told_now.mark)).flows == ()

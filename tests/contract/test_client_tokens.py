"""What every store of client tokens does, and what is counted for one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
import uuid_utils.compat

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.money.budgets import PostgresBudgets
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.money.budgets import MemoryBudgets
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ClientTokenUsedUp, KeyLimitExceeded, UnknownClientToken
from genpulse.domain.failure import Charged
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.keys.client_token import ClientToken, OrderTerms, UploadTerms
from genpulse.domain.money.allowance import Allowance, BudgetScope, ScopeKind
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.task import TaskStatus
from genpulse.ports import BudgetStore, ClientTokenStore, TaskStore
from tests.contract.conftest import Backend as Stores
from tests.contract.conftest import new_task, now
from tests.contract.test_money import failure

PRICE = Decimal("0.10")
ORDERS = OrderTerms(
    ("sandbox/image", "usual"),
    max_tasks=3,
    max_usd=Decimal("0.20"),
    input={"size": 1e22, "nested": {"deep": [1, -0.0, None, True, "ü"]}},
    fields=frozenset({"prompt", "seed"}),
    metadata={"customer": "u-17"},
    webhook_url="https://example.com/hook",
    uploads=UploadTerms(2, 1000, "image/*"),
)


@dataclass
class Backend:
    tokens: ClientTokenStore
    store: TaskStore
    budgets: BudgetStore


@pytest.fixture(params=["postgresql", "memory"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "memory":
        memory = MemoryTaskStore(MemoryTaskQueue(), MemoryDeliveries())
        yield Backend(MemoryKeys(memory).client_tokens, memory, MemoryBudgets(memory))
        return
    request.getfixturevalue("migrated_url")
    async with request.getfixturevalue("pools").lent(5) as pool:
        store = PostgresTaskStore(pool)
        yield Backend(PostgresKeys(pool).client_tokens, store, PostgresBudgets(pool))
        await store.close()


def new_token(**changes):
    moment = now()
    values = {
        "id": uuid_utils.compat.uuid7(),
        "owner": "anna",
        "created_at": moment,
        "expires_at": moment + timedelta(minutes=10),
        **changes,
    }
    return ClientToken(**values)


async def counted(backend, token):
    scope = BudgetScope(ScopeKind.CLIENT_TOKEN, str(token.id))
    return (await backend.store.counted([scope])).usage_of(scope.counter)


async def test_one_is_found_as_it_was_made(backend):
    watching = new_token(tasks=frozenset({uuid_utils.compat.uuid7()}), may_cancel=False)
    for token in (new_token(orders=ORDERS), watching):
        await backend.tokens.add(token, token.id.bytes)
        assert await backend.tokens.find(token.id.bytes) == token
        assert await backend.tokens.get(token.id) == token
    assert repr((await backend.tokens.get(token.id)).tasks) == repr(token.tasks)
    assert await backend.tokens.find(b"another") is None
    with pytest.raises(UnknownClientToken):
        await backend.tokens.get(uuid_utils.compat.uuid7())


async def test_an_input_keeps_its_numbers(backend):
    token = new_token(orders=ORDERS)
    await backend.tokens.add(token, b"digest")
    found = await backend.tokens.find(b"digest")
    assert found is not None
    assert repr(found.orders.input) == repr(ORDERS.input)


async def test_those_of_an_owner_are_listed_while_they_are_good(backend):
    older, newer, over = new_token(), new_token(), new_token(expires_at=now() - timedelta(seconds=1))
    for token in (older, newer, over, new_token(owner="ben"), revoked := new_token()):
        await backend.tokens.add(token, token.id.bytes)
    moment = now()
    assert (await backend.tokens.revoke(revoked.id, moment)).revoked_at == moment
    assert (await backend.tokens.revoke(revoked.id, now())).revoked_at == moment
    assert await backend.tokens.of("anna", now()) == (newer, older)
    with pytest.raises(UnknownClientToken):
        await backend.tokens.revoke(uuid_utils.compat.uuid7(), now())


async def test_no_more_files_are_promised_than_there_may_be_however_many_ask_at_once(backend):
    token = new_token(orders=ORDERS)
    await backend.tokens.add(token, b"digest")
    ids = [uuid_utils.compat.uuid7() for _ in range(20)]
    answers = await asyncio.gather(*(backend.tokens.promise_upload(token.id, one) for one in ids))
    assert sum(answers) == 2
    promised = {one for one, answer in zip(ids, answers, strict=True) if answer}
    assert (await backend.tokens.get(token.id)).uploads == promised
    await backend.tokens.add(watching := new_token(), b"other")
    assert not await backend.tokens.promise_upload(watching.id, ids[0])
    assert not await backend.tokens.promise_upload(uuid_utils.compat.uuid7(), ids[0])


async def test_old_ones_are_forgotten(backend):
    old, good = new_token(expires_at=now() - timedelta(days=2)), new_token()
    for token in (old, good):
        await backend.tokens.add(token, token.id.bytes)
    assert await backend.tokens.prune(now() - timedelta(days=1)) == 1
    assert await backend.tokens.find(old.id.bytes) is None
    assert await backend.tokens.find(good.id.bytes) == good


@pytest.mark.parametrize(
    ("allowance", "measure"),
    [(Allowance(total_tasks=5), "5 tasks"), (Allowance(total_usd=5 * PRICE), "0.50 USD")],
)
@pytest.mark.parametrize("owner", ["anna", ""])
async def test_of_two_hundred_at_once_five_fit(backend, allowance, measure, owner):
    token = new_token(owner=owner)
    tasks = [new_task(owner=owner, price_usd=PRICE, client_token=token.id) for _ in range(200)]
    limits = SpendingLimits(client_token=allowance)
    answers = await asyncio.gather(*(backend.store.submit(task, limits) for task in tasks), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ClientTokenUsedUp)]
    assert len(refused) == 195
    assert measure in str(refused[0])
    usage = await counted(backend, token)
    assert (usage.total_tasks, usage.total_usd, usage.active_tasks) == (5, 5 * PRICE, 5)


async def test_an_end_gives_money_back_and_no_task(backend):
    token, limits = new_token(), SpendingLimits(client_token=Allowance(total_tasks=2, total_usd=PRICE))
    first = (
        await backend.store.submit(new_task(owner="anna", price_usd=PRICE, client_token=token.id), limits)
    ).task
    assert first.client_token == token.id
    assert (await backend.store.get(first.id)).client_token == token.id
    with pytest.raises(ClientTokenUsedUp, match="USD"):
        await backend.store.submit(new_task(owner="anna", price_usd=PRICE, client_token=token.id), limits)
    assert (await backend.store.cancel(first.id)).status is TaskStatus.CANCELED
    usage = await counted(backend, token)
    assert (usage.total_tasks, usage.total_usd, usage.active_tasks) == (1, 0, 0)
    await backend.store.submit(new_task(owner="anna", price_usd=PRICE, client_token=token.id), limits)
    with pytest.raises(ClientTokenUsedUp, match="2 tasks"):
        await backend.store.submit(new_task(owner="anna", client_token=token.id), limits)


async def test_the_limits_of_the_key_and_its_customers_hold_beside(backend):
    token = new_token()
    key = KeyLimits(daily_tasks=4, limit_by="customer", customer=Allowance(daily_tasks=2))
    limits = SpendingLimits(key=key, client_token=Allowance(total_tasks=100))

    async def submit(customer):
        new = new_task(owner="anna", client_token=token.id, metadata={"customer": customer})
        return await backend.store.submit(new, limits)

    for customer in ("a", "a", "b"):
        await submit(customer)
    with pytest.raises(KeyLimitExceeded, match="customer 'a'"):
        await submit("a")
    await submit("b")
    with pytest.raises(KeyLimitExceeded, match="This API key"):
        await submit("c")
    assert (await counted(backend, token)).total_tasks == 4


async def test_counters_stay_as_long_as_the_token(backend):
    token = new_token()
    await backend.tokens.add(token, b"digest")
    task = (await backend.store.submit(new_task(owner="anna", client_token=token.id))).task
    await backend.store.cancel(task.id)
    while (await backend.budgets.prune(100)).more:
        pass
    assert (await counted(backend, token)).total_tasks == 1


async def test_what_is_run_again_by_hand_counts_for_its_token_still(backend):
    """Also where the key itself asks for that, which the token limits no more."""
    token = new_token()
    stores = Stores(backend.store, MemoryTaskQueue())
    await backend.store.submit(new_task(owner="anna", price_usd=PRICE, client_token=token.id))
    (begun,) = await stores.claim("sandbox")
    await stores.end(begun.lease, Failed(failure(Charged.NO)))
    assert (await counted(backend, token)).active_tasks == 0
    again = await backend.store.retry(begun.task.id)
    usage = await counted(backend, token)
    assert (again.client_token, usage.total_tasks, usage.active_tasks, usage.total_usd) == (token.id, 1, 1, PRICE)

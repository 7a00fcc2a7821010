"""What every store of API keys does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
import uuid_utils.compat

from genpulse.adapters.database.keys import PostgresKeys
from genpulse.adapters.database.store import PostgresTaskStore
from genpulse.adapters.memory.deliveries import MemoryDeliveries
from genpulse.adapters.memory.keys import MemoryKeys
from genpulse.adapters.memory.queue import MemoryTaskQueue
from genpulse.adapters.memory.store import MemoryTaskStore
from genpulse.adapters.postgresql import open_pool
from genpulse.domain.api_key import KeyLimits, KeyState, KeyUsage, Scope, Token, digest_of
from genpulse.domain.errors import UnknownKey
from genpulse.domain.rate import Rate
from genpulse.domain.task import Priority
from genpulse.ports import KeyStore, TaskStore
from tests.api_keys import new_key
from tests.contract.conftest import new_task, now


@dataclass
class Backend:
    keys: KeyStore
    store: TaskStore


@pytest.fixture(params=["postgresql", "memory"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "memory":
        memory = MemoryTaskStore(MemoryTaskQueue(), MemoryDeliveries())
        yield Backend(MemoryKeys(memory), memory)
        return
    url = request.getfixturevalue("migrated_url")
    pool = await open_pool(url, size=5, application_name="tests")
    store = PostgresTaskStore(pool)
    yield Backend(PostgresKeys(pool), store)
    await store.close()
    await pool.close()


@pytest.mark.parametrize("highest", [None, *Priority])
async def test_a_key_is_found_by_the_digest_of_its_token_alone(backend, highest):
    token = Token.new("gp_dev_")
    limits = KeyLimits(5, 100, Decimal("2.50"), Rate.parse("10/s"), highest)
    key = new_key(limits=limits, expires_at=now() + timedelta(days=1), scopes=frozenset({Scope.ADMIN}))
    await backend.keys.add(key, digest_of(token.text))
    assert await backend.keys.find(digest_of(token.text)) == key
    assert await backend.keys.find(digest_of(token.text + "x")) is None


async def test_keys_are_listed_in_their_order(backend):
    keys = [new_key(name=name) for name in ("one", "two", "three")]
    for key in keys:
        await backend.keys.add(key, digest_of(key.name))
    assert await backend.keys.all() == tuple(keys)


async def test_a_key_is_revoked_by_the_beginning_of_its_id(backend):
    key = new_key()
    await backend.keys.add(key, b"1" * 32)
    moment = now()
    revoked = await backend.keys.revoke(str(key.id)[:30].upper(), moment)
    assert (revoked.id, revoked.revoked_at) == (key.id, moment)
    again = await backend.keys.revoke(str(key.id), moment + timedelta(hours=1))
    assert again.revoked_at == moment
    assert (await backend.keys.find(b"1" * 32)).state(moment) is KeyState.REVOKED


@pytest.mark.parametrize("beginning", ["", "zz", "%", "0", "'; DROP TABLE api_keys; --", "g"])
async def test_a_beginning_of_none_or_of_several_revokes_nothing(backend, beginning):
    for number in range(2):
        await backend.keys.add(new_key(), bytes([number]) * 32)
    with pytest.raises(UnknownKey):
        await backend.keys.revoke(beginning, now())
    assert all(key.revoked_at is None for key in await backend.keys.all())


async def test_use_is_noted(backend):
    key, moment = new_key(), now()
    await backend.keys.add(key, b"1" * 32)
    await backend.keys.used(key.id, moment)
    await backend.keys.used(uuid_utils.compat.uuid7(), moment)
    assert (await backend.keys.find(b"1" * 32)).last_used_at == moment


async def test_usage_is_that_of_one_owner_today(backend):
    key, other = new_key(), new_key()
    price = Decimal("0.04")
    mine = [new_task(owner=str(key.id), price_usd=price) for _ in range(2)]
    await backend.store.submit_batch(mine)
    await backend.store.submit(new_task(owner=str(other.id), price_usd=price))
    await backend.store.submit(new_task(owner=str(other.id)))
    await backend.store.submit(new_task())
    await backend.store.cancel(mine[0].id)
    assert await backend.keys.usage(key.id) == KeyUsage(1, 2, price)
    assert await backend.keys.usage(other.id) == KeyUsage(2, 2, price)
    assert await backend.keys.usage(new_key().id) == KeyUsage(0, 0, Decimal(0))


async def test_the_secret_is_long_and_stays(backend):
    secret = await backend.keys.signing_secret()
    assert len(secret) == 32
    assert await backend.keys.signing_secret() == secret

"""What every store of API keys does."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
import uuid_utils.compat

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.errors import NoWebhookSecret, UnknownKey
from genpulse.domain.keys.api_key import KeyLimits, KeyState, Scope, Token, digest_of
from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority
from genpulse.ports import KeyStore, TaskStore
from tests.api_keys import new_key
from tests.contract.conftest import new_task, now

DAY, NOTHING = timedelta(days=1), timedelta(0)


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
    request.getfixturevalue("migrated_url")
    async with request.getfixturevalue("pools").lent(5) as pool:
        store = PostgresTaskStore(pool)
        yield Backend(PostgresKeys(pool, Sealing([b64encode(bytes(32)).decode()])), store)
        await store.close()


@pytest.mark.parametrize("highest", [None, *Priority])
async def test_a_key_is_found_by_the_digest_of_its_token_alone(backend, highest):
    token = Token.new("gp_dev_")
    limits = KeyLimits(5, 100, Decimal("2.50"), rate=Rate.parse("10/s"), max_priority=highest)
    key = new_key(limits=limits, expires_at=now() + timedelta(days=1), scopes=frozenset({Scope.ADMIN}))
    await backend.keys.add(key, digest_of(token.text))
    assert await backend.keys.find(digest_of(token.text)) == key
    assert await backend.keys.find(digest_of(token.text + "x")) is None


async def test_keys_are_listed_in_their_order(backend):
    keys = [new_key(name=name) for name in ("one", "two", "three")]
    for key in keys:
        await backend.keys.add(key, digest_of(key.name))
    assert await backend.keys.all() == tuple(keys)


async def test_keys_that_are_asked_for_at_once_are_answered_each_for_itself(backend):
    keys = [new_key(name=str(number)) for number in range(5)]
    for key in keys:
        await backend.keys.add(key, digest_of(key.name))
    unknown = new_key()
    asked = [*keys, unknown, *reversed(keys)]
    found = await asyncio.gather(*(backend.keys.get(str(key.id)) for key in asked), return_exceptions=True)
    assert isinstance(found.pop(len(keys)), UnknownKey)
    assert found == [*keys, *reversed(keys)]


async def test_a_key_is_revoked_by_the_beginning_of_its_id(backend):
    key = new_key()
    await backend.keys.add(key, b"1" * 32)
    moment = now()
    revoked = await backend.keys.revoke(str(key.id)[:30].upper(), moment)
    assert (revoked.id, revoked.revoked_at) == (key.id, moment)
    again = await backend.keys.revoke(str(key.id), moment + timedelta(hours=1))
    assert again.revoked_at == moment
    assert (await backend.keys.find(b"1" * 32)).state(moment) is KeyState.REVOKED


async def test_a_key_changes_in_name_expiry_and_limits_alone(backend):
    key, other = new_key(), new_key(name="other")
    await backend.keys.add(key, b"1" * 32)
    await backend.keys.add(other, b"2" * 32)
    limits = KeyLimits(5, 100, Decimal("2.50"), Decimal(40), Rate.parse("10/s"), Priority.LOW, 3600)
    wanted = replace(key, name="shop", expires_at=now() + DAY, limits=limits)
    assert await backend.keys.change(str(key.id)[:30].upper(), lambda _: wanted) == wanted
    assert await backend.keys.get(str(key.id)) == wanted
    assert await backend.keys.find(b"1" * 32) == wanted
    await backend.keys.change(str(key.id), lambda known: replace(known, limits=KeyLimits(), expires_at=None))
    assert await backend.keys.get(str(key.id)) == replace(key, name="shop")
    assert await backend.keys.get(str(other.id)) == other


async def test_of_two_changes_at_once_none_is_lost(backend):
    key = new_key(name="0")
    await backend.keys.add(key, b"1" * 32)
    one_more = lambda known: replace(known, name=str(int(known.name) + 1))  # noqa: E731
    await asyncio.gather(*(backend.keys.change(str(key.id), one_more) for _ in range(5)))
    assert (await backend.keys.get(str(key.id))).name == "5"


async def test_a_change_that_raises_changes_nothing(backend):
    key = new_key()
    await backend.keys.add(key, b"1" * 32)
    with pytest.raises(ZeroDivisionError):
        await backend.keys.change(str(key.id), lambda _: 1 / 0)
    for act in (backend.keys.change("ffff", lambda known: known), backend.keys.get("ffff")):
        with pytest.raises(UnknownKey):
            await act
    assert await backend.keys.get(str(key.id)) == key


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
    assert await backend.keys.usage(key.id) == ScopeUsage(1, 2, price, price)
    assert await backend.keys.usage(other.id) == ScopeUsage(2, 2, price, price)
    both = await backend.keys.usages([key.id, other.id])
    assert both == {key.id: ScopeUsage(1, 2, price, price), other.id: ScopeUsage(2, 2, price, price)}
    assert await backend.keys.usages([]) == {}
    assert await backend.keys.usage(new_key().id) == ScopeUsage(0, 0, Decimal(0), Decimal(0))


async def test_the_secret_is_long_and_stays(backend):
    secret = await backend.keys.signing_secret()
    assert len(secret) == 32
    assert await backend.keys.signing_secret() == secret


async def test_the_first_message_key_is_made_once_for_all(backend):
    first, *others = await asyncio.gather(*(backend.keys.message_keys() for _ in range(8)))
    assert all(other == first for other in others)
    assert first.published == (first.signs,)
    assert len(first.signs.seed) == 32
    assert repr(first.signs.seed) not in repr(first)


async def test_a_new_message_key_is_published_and_does_not_sign_yet(backend):
    before = await backend.keys.message_keys()
    after = await backend.keys.add_message_key()
    assert after.signs == before.signs
    assert after.published[0] == before.signs
    assert len(after.published) == 2
    assert after.published[1].seed != before.signs.seed
    assert await backend.keys.message_keys() == after


async def test_message_keys_that_are_forgotten_sign_no_more(backend):
    before = await backend.keys.add_message_key()
    assert await backend.keys.forget_message_keys() == 2
    after = await backend.keys.message_keys()
    assert after.signs == after.first
    assert after.signs not in before.published
    assert after.published == (after.signs,)


async def test_the_first_message_key_stays_the_first(backend):
    first = (await backend.keys.message_keys()).first
    assert (await backend.keys.add_message_key()).first == first


async def test_a_message_key_may_be_added_before_any_was_asked_for(backend):
    keys = await backend.keys.add_message_key()
    assert (len(keys.published), keys.signs) == (2, keys.published[0])


async def test_a_key_signs_with_the_shared_secret_until_it_has_its_own(backend):
    key = new_key()
    await backend.keys.add(key, b"digest")
    assert await backend.keys.webhook_secrets(key.id) == SHARED
    assert await backend.keys.webhook_secrets(new_key().id) == SHARED
    own = new_key(name="own")
    await backend.keys.add(own, b"other", "whsec_QQ==")
    assert await backend.keys.webhook_secrets(own.id) == SigningSecrets(("whsec_QQ==",), shared=False)
    (first, second) = await backend.keys.all()
    assert first.webhook_secret_at is None
    assert second.webhook_secret_at is not None
    assert await backend.keys.find(b"other") == second


async def test_a_rotated_secret_signs_beside_the_new_one(backend):
    key = new_key()
    await backend.keys.add(key, b"digest", "whsec_QQ==")
    rotated = await backend.keys.rotate_webhook_secret(str(key.id), "whsec_Qg==", DAY)
    assert rotated.webhook_secret_at is not None
    expected = SigningSecrets(("whsec_Qg==", "whsec_QQ=="), shared=False)
    assert await backend.keys.webhook_secrets(key.id) == expected
    await backend.keys.rotate_webhook_secret(str(key.id), "whsec_Qw==", NOTHING)
    assert await backend.keys.webhook_secrets(key.id) == SigningSecrets(("whsec_Qw==",), shared=False)


@pytest.mark.parametrize(("overlap", "shared"), [(DAY, True), (NOTHING, False)])
async def test_the_first_secret_of_a_key_takes_over_from_the_shared_one(backend, overlap, shared):
    key = new_key()
    await backend.keys.add(key, b"digest")
    await backend.keys.rotate_webhook_secret(str(key.id), "whsec_QQ==", overlap)
    assert await backend.keys.webhook_secrets(key.id) == SigningSecrets(("whsec_QQ==",), shared=shared)


@pytest.mark.parametrize(("overlap", "own"), [(DAY, ("whsec_QQ==",)), (NOTHING, ())])
async def test_one_that_is_removed_gives_over_to_the_shared_one(backend, overlap, own):
    key = new_key()
    await backend.keys.add(key, b"digest", "whsec_QQ==")
    removed = await backend.keys.remove_webhook_secret(str(key.id), overlap)
    assert removed.webhook_secret_at is None
    assert await backend.keys.webhook_secrets(key.id) == SigningSecrets(own, shared=True)
    with pytest.raises(NoWebhookSecret, match=r"webhooks.secret signs messages about its tasks"):
        await backend.keys.remove_webhook_secret(str(key.id), DAY)
    for act in (
        backend.keys.rotate_webhook_secret("ffff", "x", DAY),
        backend.keys.remove_webhook_secret("ffff", DAY),
    ):
        with pytest.raises(UnknownKey):
            await act


async def test_the_overlap_of_one_rotation_does_not_make_that_of_another_longer(backend):
    key = new_key()
    await backend.keys.add(key, b"digest", "whsec_QQ==")
    for secret, overlap in (("whsec_Qg==", timedelta(hours=1)), ("whsec_Qw==", DAY), ("whsec_RA==", NOTHING)):
        await backend.keys.rotate_webhook_secret(str(key.id), secret, overlap)
    assert await backend.keys.webhook_secrets(key.id) == SigningSecrets(("whsec_RA==",), shared=False)


async def test_secrets_of_one_key_sign_for_no_other(backend):
    keys = [new_key(name=name) for name in ("one", "two")]
    for number, key in enumerate(keys):
        await backend.keys.add(key, bytes([number]), f"whsec_{number}")
    assert [(await backend.keys.webhook_secrets(key.id)).own for key in keys] == [("whsec_0",), ("whsec_1",)]
    assert await backend.keys.reseal_webhook_secrets() == 2
    assert [(await backend.keys.webhook_secrets(key.id)).own for key in keys] == [("whsec_0",), ("whsec_1",)]

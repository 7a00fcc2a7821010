"""Webhook secrets of API keys as they lie in PostgreSQL."""

import os
from base64 import b64encode, urlsafe_b64encode
from datetime import timedelta

import pytest

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.errors import SealedMessageKey, SealedSecret, SealingKeyMissing
from tests.api_keys import new_key

OLD, NEW = (b64encode(os.urandom(32)).decode() for _ in range(2))
SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
DAY = timedelta(days=1)


@pytest.fixture
async def pool(migrated_url):
    pool = await open_pool(migrated_url, size=2, application_name="tests")
    yield pool
    await pool.close()


def keys(pool, *sealing):
    return PostgresKeys(pool, Sealing(sealing))


@pytest.fixture
async def key(pool):
    key = new_key()
    await keys(pool, OLD).add(key, b"digest", SECRET)
    return key


async def test_a_table_that_leaks_signs_nothing(pool, key):
    rows = [dict(row) for row in await pool.fetch("SELECT * FROM key_webhook_secrets")]
    shown = repr(rows)
    assert [row["api_key_id"] for row in rows] == [key.id]
    assert all(part not in shown for part in (SECRET, SECRET.removeprefix("whsec_"), "ABCDEFGH"))


async def test_one_who_writes_the_table_does_not_give_a_secret_to_another_key(pool, key):
    other = new_key()
    await keys(pool, OLD).add(other, b"other", "whsec_QQ==")
    await pool.execute(
        "UPDATE key_webhook_secrets SET sealed = (SELECT sealed FROM key_webhook_secrets WHERE api_key_id = $1)",
        key.id,
    )
    with pytest.raises(SealedSecret):
        await keys(pool, OLD).webhook_secrets(other.id)


@pytest.mark.parametrize(
    ("sealing", "words"),
    [((), "webhooks.sealing_keys is empty"), ((NEW,), "sealed with none of webhooks.sealing_keys")],
)
async def test_one_that_no_key_opens_is_told_by_its_api_key(pool, key, sealing, words):
    with pytest.raises(SealedSecret, match=words) as caught:
        await keys(pool, *sealing).webhook_secrets(key.id)
    assert f"genpulse keys webhook-secret rotate {key.id} --overlap 0" in str(caught.value)
    with pytest.raises(SealedSecret):
        await keys(pool, *sealing).reseal_webhook_secrets()


async def test_that_very_command_mends_it(pool, key):
    await keys(pool, NEW).rotate_webhook_secret(str(key.id), "whsec_QQ==", timedelta(0))
    assert (await keys(pool, NEW).webhook_secrets(key.id)).own == ("whsec_QQ==",)


async def test_after_that_all_can_be_sealed_anew(pool, key):
    await keys(pool, NEW).rotate_webhook_secret(str(key.id), "whsec_QQ==", timedelta(0))
    assert await keys(pool, NEW).reseal_webhook_secrets() == 1


@pytest.mark.parametrize("overlap", [timedelta(0), timedelta(microseconds=1)])
async def test_what_signs_no_more_needs_no_sealing_key(pool, key, overlap):
    await keys(pool, OLD).remove_webhook_secret(str(key.id), overlap)
    assert await keys(pool, NEW).reseal_webhook_secrets() == 0


async def test_sealing_keys_are_changed_without_new_secrets(pool, key):
    assert await keys(pool, NEW, OLD).reseal_webhook_secrets() == 1
    assert (await keys(pool, NEW).webhook_secrets(key.id)).own == (SECRET,)
    with pytest.raises(SealedSecret):
        await keys(pool, OLD).webhook_secrets(key.id)


async def test_without_one_nothing_is_kept(pool):
    key = new_key()
    with pytest.raises(SealingKeyMissing, match="Set GENPULSE_WEBHOOKS__SEALING_KEYS"):
        await keys(pool).add(key, b"digest", SECRET)
    assert await keys(pool).find(b"digest") is None
    await keys(pool).add(key, b"digest")
    with pytest.raises(SealingKeyMissing):
        await keys(pool).rotate_webhook_secret(str(key.id), SECRET, DAY)
    assert (await keys(pool).webhook_secrets(key.id)).shared


async def test_what_has_ended_is_forgotten_at_the_next_rotation(pool, key):
    for _ in range(3):
        await keys(pool, OLD).rotate_webhook_secret(str(key.id), SECRET, timedelta(0))
    assert await pool.fetchval("SELECT count(*) FROM key_webhook_secrets") <= 2


def test_either_alphabet_of_base64_is_a_key():
    raw = b"\xfb\xff" * 16
    key = new_key()
    sealed = Sealing([b64encode(raw).decode()]).seal(key.id, SECRET)
    assert Sealing([urlsafe_b64encode(raw).decode()]).open(key.id, sealed) == SECRET


@pytest.mark.parametrize("text", ["", "short", "x" * 44, b64encode(bytes(31)).decode(), "é" * 43 + "="])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="no base64 of 32 bytes"):
        Sealing([text])


async def test_message_keys_in_a_table_that_leaks_sign_nothing(pool):
    made = await keys(pool, OLD).message_keys()
    shown = repr([dict(row) for row in await pool.fetch("SELECT * FROM message_keys")])
    assert repr(made.signs.seed)[2:-1] not in shown
    assert b64encode(made.signs.seed).decode() not in shown
    assert await keys(pool, NEW, OLD).message_keys() == made


@pytest.mark.parametrize(
    ("sealing", "words"),
    [((), "webhooks.sealing_keys is empty"), ((NEW,), "sealed with none of webhooks.sealing_keys")],
)
async def test_a_message_key_that_nothing_opens_is_told_and_can_be_forgotten(pool, sealing, words):
    made = await keys(pool, OLD).message_keys()
    for act in ("message_keys", "add_message_key", "reseal_webhook_secrets"):
        with pytest.raises(SealedMessageKey, match=words) as caught:
            await getattr(keys(pool, *sealing), act)()
        assert "genpulse keys message-key forget" in str(caught.value)
        assert str(made.signs.id) in str(caught.value)
    assert await keys(pool, *sealing).forget_message_keys() == 1
    assert (await keys(pool, *sealing).message_keys()).signs != made.signs


async def test_message_keys_from_before_there_was_a_sealing_key_are_sealed_with_the_secrets(pool):
    made = await keys(pool).message_keys()
    assert await keys(pool, OLD).message_keys() == made
    await keys(pool, OLD).reseal_webhook_secrets()
    with pytest.raises(SealedMessageKey):
        await keys(pool).message_keys()
    await keys(pool, NEW, OLD).reseal_webhook_secrets()
    assert await keys(pool, NEW).message_keys() == made
    await keys(pool, NEW).forget_message_keys()
    assert await keys(pool).reseal_webhook_secrets() == 0

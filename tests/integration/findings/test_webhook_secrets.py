"""What `genpulse doctor` says of the webhook secrets of API keys."""

from base64 import b64encode

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.cli.doctor.finding import Level
from genpulse.cli.doctor.webhook_secrets import webhook_secrets
from tests.api_keys import new_key

SEALING = b64encode(b"s" * 32).decode()


async def test_one_that_cannot_be_opened_is_wrong(migrated_url):
    pool = await open_pool(migrated_url, size=2, application_name="tests")
    with_key, without = PostgresKeys(pool, Sealing([SEALING])), PostgresKeys(pool)
    await with_key.add(new_key(name="plain"), b"plain")
    assert await webhook_secrets(without) == []
    await with_key.add(new_key(name="shop"), b"digest", "whsec_QQ==")
    (there,) = await webhook_secrets(with_key)
    (gone,) = await webhook_secrets(without)
    await pool.close()
    assert (there.level, there.detail) == (Level.OK, "1 of API keys, which can be opened")
    assert gone.level is Level.WRONG
    assert gone.detail.startswith("'shop': The webhook secret of the API key")
    assert "webhooks.sealing_keys is empty" in gone.detail

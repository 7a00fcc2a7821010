"""What is said when Redis cannot be used: what was found, and what to do."""

import logging
import time

import pytest

from genpulse.adapters.redis.connection import Outage, RedisProbe, open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.dev.processes.ports import free_port
from genpulse.ports import State
from tests.wrong_servers import WRONG, http_server, tls_server

CASES = {
    "password": ("redis://:wrong@{place}/0", "Redis refuses the user or the password of GENPULSE_REDIS__URL"),
    "user": ("redis://nobody:wrong@{place}/0", "Redis refuses the user or the password of GENPULSE_REDIS__URL"),
    "nobody there": ("redis://127.0.0.1:{free}/0", "Nothing listens where GENPULSE_REDIS__URL names Redis"),
    "no such host": ("redis://nowhere.invalid/0", "The host of Redis has no address"),
    "another server": ("redis://127.0.0.1:{http}/0", "does not speak as Redis does: look at host and port"),
}


async def health(url):
    keys = Keyspace("dev:")
    async with open_redis(url, keys.prefix) as client:
        return await RedisProbe(client, keys)()


@pytest.mark.parametrize("case", sorted(CASES))
async def test_who_must_act_is_told_what_is_wrong(own_server, case):
    url, words = CASES[case]
    async with http_server() as http:
        place = own_server.url.rpartition("@")[2].partition("/")[0]
        found = await health(url.format(place=place, free=free_port(), http=http))
    assert found.state is State.DEGRADED
    assert words in found.detail
    assert "wrong@" not in found.detail


@pytest.mark.parametrize("wrong", sorted(WRONG))
async def test_a_certificate_that_is_not_trusted_is_told_with_why(tmp_path, wrong):
    certificate, words = WRONG[wrong]
    async with tls_server(tmp_path, certificate) as (port, authority):
        root = f"?ssl_ca_certs={authority}" if authority else ""
        deadline = time.monotonic() + 60
        found = await health(f"rediss://localhost:{port}/0{root}")
        while found.detail.endswith("TimeoutError") and time.monotonic() < deadline:
            found = await health(f"rediss://localhost:{port}/0{root}")
    assert "The certificate of Redis is not trusted: " in found.detail
    assert words in found.detail


async def test_the_log_says_the_same(caplog):
    async with open_redis(f"redis://127.0.0.1:{free_port()}/0", "dev:") as client:
        try:
            await client.get("dev:x")
        except Exception as error:  # noqa: BLE001 - whatever the client raises is what parts notice
            with caplog.at_level(logging.WARNING):
                Outage().report("sender", error)
    assert "Nothing listens where GENPULSE_REDIS__URL names Redis" in caplog.text

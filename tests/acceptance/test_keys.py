"""The first key of an installation, by hand."""

import json

import aiohttp
import asyncpg
import pytest
from click.testing import CliRunner

from genpulse.cli.keys.command import command
from tests.fleet import Fleet, until_ready


@pytest.fixture
def fleet(tmp_path, database_url, redis_url):
    fleet = Fleet(tmp_path, database_url, redis_url)
    fleet.environment |= {
        "ENV": "test",
        "GENPULSE_API__PUBLIC_URL": "https://media.example.com",
        "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true",
        "GENPULSE_REDIS__ALLOW_PLAINTEXT": "true",
    }
    fleet.run("db", "upgrade")
    fleet.run("env", "stamp")
    yield fleet
    fleet.stop()


async def test_the_first_key_opens_the_api_and_a_revoked_one_does_not(fleet):
    limits = ("--daily-usd", "5", "--rate", "50/s", "--max-priority", "normal")
    created = json.loads(fleet.run("keys", "create", "--name", "shop", *limits, "--json"))
    token = created["key"]
    assert token.startswith("gp_test_")
    fleet.start_api()
    fleet.start_worker()
    async with aiohttp.ClientSession() as client:
        await until_ready(fleet, client)
    (url,) = fleet.urls
    refused = _generate(fleet, url)
    assert refused.returncode == 1
    assert "gp_test_" in refused.stderr
    fleet.environment["GENPULSE_API_KEY"] = token
    done = _generate(fleet, url)
    assert done.returncode == 0, done.stderr
    assert (fleet.folder / "fox.png").read_bytes().startswith(b"\x89PNG")
    (listed,) = json.loads(fleet.run("keys", "list", "--json"))
    assert listed["last_used_at"] is not None
    assert (listed["name"], listed["state"], listed["hint"]) == ("shop", "active", token[8:12])
    set_ones = {"daily_usd": "5", "rate": "50/s", "max_priority": "normal", "weight": 1}
    assert {name: limit for name, limit in listed["limits"].items() if limit is not None} == set_ones
    assert listed["usage"]["today_tasks"] == 1
    assert "revoked" in fleet.run("keys", "revoke", listed["id"])
    refused = fleet.call("keys", "revoke", "ffff")
    assert refused.returncode == 1
    assert "keys list" in refused.stderr
    await _is_nowhere(fleet, token)


def _generate(fleet, url):
    command = ["generate", "a red fox", "--model", "sandbox/image", "-o", "fox.png", "--api", url]
    return fleet.call(*command)


async def _is_nowhere(fleet, token):
    """The token is in no log and in no table."""
    assert token not in (fleet.folder / "log").read_text()
    connection = await asyncpg.connect(fleet.environment["GENPULSE_DATABASE_URL"])
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = await connection.fetch(f"SELECT t::text AS row FROM {table['tablename']} AS t")
        assert not any(token in row["row"] for row in rows)
    await connection.close()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "--name"),
        (["--name", "x", "--rate", "often"], "5/s"),
        (["--name", "x", "--expires-in", "soon"], "90d"),
        (["--name", "x", "--daily-usd", "-1"], "0.50"),
        (["--name", "x", "--scope", "everything"], "tasks:read"),
        (["--name", "x", "--max-priority", "urgent"], "low"),
    ],
)
def test_misuse_is_explained(arguments, word):
    told = CliRunner().invoke(command, ["create", *arguments])
    assert told.exit_code == 2
    assert word in told.output

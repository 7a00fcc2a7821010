"""`compose.production.yaml`: what holds for each of its containers, and that GenPulse takes its variables."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from genpulse import config
from genpulse.configuration.errors import ConfigurationError
from genpulse.configuration.settings.worker import Worker

ROOT = Path(__file__).parents[3]
FILE = ROOT / "compose.production.yaml"
TEXT = FILE.read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
EXAMPLE = (ROOT / "deploy/compose/production.env.example").read_text()
OURS = ["api-1", "api-2", "worker-1", "worker-2", "upgrade"]
INTERPOLATED = re.compile(r"\$\{(\w+)(:[?-])?[^}]*\}")


def test_it_follows_the_schema_of_compose():
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE.name]
    checked = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_what_has_to_be_named_is_in_the_example():
    needed = {name for name, default in INTERPOLATED.findall(TEXT) if default == ":?"}
    told = set(re.findall(r"^#?(\w+)=", EXAMPLE, re.MULTILINE))
    assert needed <= told
    assert {name for name, _ in INTERPOLATED.findall(TEXT)} <= told
    assert not [name for name in needed if name.startswith("GENPULSE_")], "each container of ours gets this file"


def test_no_password_is_written_down():
    for line in TEXT.splitlines():
        assert not re.search(r"^ *\w*(PASSWORD|SECRET|KEY)\w*: *(?!\$\{)\S", line), line
    assert not re.search(r"(PASSWORD|SECRET|KEY)=\S", EXAMPLE)


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nowhere_but_where_they_have_to(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp", "/run/genpulse"]
    assert "ports" not in service


def test_no_two_processes_share_a_folder():
    folders = [mount for name in OURS for mount in SERVICES[name].get("volumes", ())]
    assert len(set(folders)) == len(folders) == 4
    assert {mount.partition(":")[0] for mount in folders} <= set(COMPOSE["volumes"])


def test_a_worker_is_waited_for_and_asked_whether_it_is_well():
    for name in ("worker-1", "worker-2"):
        service = SERVICES[name]
        assert int(service["stop_grace_period"].rstrip("s")) > Worker().stop_s
        assert service["healthcheck"]["test"] == ["CMD", "genpulse", "worker", "--health"]


def test_servers_are_reached_by_nobody_outside_and_the_proxy_alone_has_ports():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis", "s3"):
        assert SERVICES[name]["networks"] == ["inside"]


@pytest.mark.parametrize("name", OURS)
def test_its_variables_are_taken(name, tmp_path):
    """By GenPulse itself: production misses nothing but the stamp of a release."""

    def filled(found):
        return {"WEBHOOK_SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz", "DOMAIN": "media.example.com"}.get(
            found[1], "abc123"
        )

    variables = {key: INTERPOLATED.sub(filled, str(value)) for key, value in SERVICES[name]["environment"].items()}
    with pytest.raises(ConfigurationError) as refused:
        config.load(tmp_path, variables, require=("database_url", "redis.url"))
    assert [fault.key for fault in refused.value.faults] == ["release.require_tag"]
    settings = config.load(
        tmp_path, {**variables, "GENPULSE_RELEASE__REQUIRE_TAG": "false"}, require=("database_url", "redis.url")
    )
    config.check_worker(settings)

"""The units of systemd: what they run, and that they wait for longer than a process takes to stop."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from genpulse import config
from genpulse.cli.app import genpulse
from genpulse.configuration.errors import ConfigurationError
from genpulse.configuration.schema import keys
from genpulse.configuration.settings.worker import Worker
from genpulse.configuration.sources.variables import variable_name

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
EXAMPLE = (ROOT / "deploy/systemd/production.env.example").read_text()


def service(path):
    """The section of a unit; of a name that comes twice, all its values."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(path.read_text())
    more = re.findall(r"^Environment=(\w+)=(.*)$", path.read_text(), re.MULTILINE)
    return parser["Service"], dict(more)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_it_runs_a_command_that_there_is_with_settings_that_there_are(path):
    section, variables = service(path)
    program, command = section["ExecStart"].split()
    assert program == "/opt/genpulse/venv/bin/genpulse"
    assert genpulse.get_command(None, command) is not None
    known = {variable_name(known.key) for known in keys()}
    assert variables.keys() <= known
    assert len(variables) == 2


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_configuration_that_is_refused_is_not_tried_again_and_again(path):
    section, _ = service(path)
    assert (section["Restart"], section["RestartPreventExitStatus"]) == ("always", "78")
    assert section["EnvironmentFile"] == "/etc/genpulse/production.env"
    assert section["User"] == "genpulse"


def test_a_worker_is_waited_for():
    section, _ = service(ROOT / "deploy/systemd/genpulse-worker@.service")
    assert int(section["TimeoutStopSec"]) > Worker().stop_s
    assert section["KillMode"] == "mixed"


def test_the_example_misses_nothing_but_its_secrets_and_a_release(tmp_path):
    variables = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    empty = {name for name, value in variables.items() if not value}
    assert empty == {"GENPULSE_DATABASE_URL", "GENPULSE_REDIS__URL", "GENPULSE_WEBHOOKS__SECRET"}
    variables |= {
        "GENPULSE_DATABASE_URL": "postgresql://genpulse:letters-and-digits@127.0.0.1:5432/genpulse",
        "GENPULSE_REDIS__URL": "redis://127.0.0.1:6379/0",
        "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
    }
    with pytest.raises(ConfigurationError) as refused:
        config.load(tmp_path, variables, require=("database_url", "redis.url"))
    assert [fault.key for fault in refused.value.faults] == ["release.require_tag"]


def test_the_addresses_of_the_page_are_those_of_one_machine():
    page = (ROOT / "docs/how-to/deploy.md").read_text()
    assert "GENPULSE_REDIS__URL=redis://127.0.0.1:6379/0" in page
    assert all(f"{path.name.partition('@')[0]}@" in page for path in UNITS)

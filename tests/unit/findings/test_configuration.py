"""What is said about the configuration."""

import pytest

from genpulse import config
from genpulse.cli.findings import configuration, machine
from genpulse.cli.findings.finding import Level

MAIN = {"ENV": "main", "GENPULSE_STORAGE__URL": "s3://bucket", "GENPULSE_RELEASE__REQUIRE_TAG": "false"}


@pytest.fixture
def settings(tmp_path):
    return lambda **variables: config.load(tmp_path, variables, require=())


def test_every_rule_that_is_off_is_told(settings):
    off = configuration.allowed(settings(**MAIN, GENPULSE_DATABASE__ALLOW_LOOPBACK="true"))
    assert [finding.detail.partition(":")[0] for finding in off] == [
        "database.allow_loopback is true",
        "release.require_tag is false",
    ]
    assert list(configuration.allowed(settings(ENV="dev", GENPULSE_RELEASE__REQUIRE_TAG="false"))) == []


def test_a_statement_that_may_hang_long_is_told(settings):
    assert configuration.time_out(settings()).level is Level.OK
    long = configuration.time_out(settings(GENPULSE_DATABASE__STATEMENT_TIMEOUT_S="61"))
    assert (long.level, "61 s" in long.detail) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("variables", "level", "said"),
    [
        ({}, Level.OK, "may not be used"),
        ({"GENPULSE_PROVIDERS__KLING__PAID": "true"}, Level.WARNING, "by kling, without a limit"),
        ({"GENPULSE_PROVIDERS__PAID": "true"}, Level.WARNING, "by all providers, without a limit"),
        (
            {
                "GENPULSE_PROVIDERS__PAID": "true",
                "GENPULSE_PROVIDERS__KLING__PAID": "false",
                "GENPULSE_BUDGET__DAILY_USD": "12.50",
            },
            Level.OK,
            "by all providers but kling, up to 12.50 US dollars a day",
        ),
    ],
)
def test_who_may_spend_money(settings, variables, level, said):
    finding = configuration.spending(settings(**variables))
    assert finding.level is level
    assert said in finding.detail


def test_each_disk_is_looked_at_once(settings, tmp_path):
    spool = tmp_path / "spool"
    found = list(machine.disks(settings(GENPULSE_STORAGE__SPOOL_DIR=str(spool))))
    assert len(found) == 1
    assert f"for assets in {tmp_path}/.genpulse/storage" in found[0].detail
    elsewhere = list(machine.disks(settings(**MAIN, GENPULSE_STORAGE__SPOOL_DIR=str(spool))))
    assert [f"for waiting streams in {spool}" in finding.detail for finding in elsewhere] == [True]

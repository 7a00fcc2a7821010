"""What is said about the configuration."""

from pathlib import Path

import pytest

from genpulse import config
from genpulse.adapters.storage.disk.spool_folder import SpoolFolder
from genpulse.cli.doctor import configuration, machine
from genpulse.cli.doctor.finding import Level

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


@pytest.mark.parametrize(
    ("database", "redis", "said"),
    [
        ("postgresql://u@a/d?sslmode=require", "rediss://r/0", ["PostgreSQL, Redis"]),
        ("postgresql://u@a,b/d?sslmode=require", "rediss://r/0", ["Redis"]),
        ("postgresql://u@a/d?sslmode=require", "rediss+sentinel://a,b/main/0", ["PostgreSQL"]),
        ("postgresql://u@a,b/d?sslmode=require", "rediss+cluster://a,b", []),
    ],
)
def test_what_there_is_one_of_is_told(settings, database, redis, said):
    names = {"GENPULSE_DATABASE_URL": database, "GENPULSE_REDIS__URL": redis}
    found = list(configuration.reached(settings(**MAIN, **names, GENPULSE_API__PUBLIC_URL="https://api.example")))
    assert [each.detail.removeprefix("one server each: ").partition(";")[0] for each in found] == said


def test_an_api_that_does_not_know_how_it_is_reached_is_told(settings):
    found = [each.name for each in configuration.reached(settings(**MAIN, GENPULSE_API__HOST="127.0.0.1"))]
    assert found == ["public URL"]


def test_one_that_webhooks_cannot_name_is_wrong(settings):
    [found] = configuration.named(settings(**MAIN))
    assert found.level is Level.WRONG
    assert "api.host (0.0.0.0) is no address: webhooks would name nothing" in found.detail
    assert found.advice.startswith("Set GENPULSE_API__PUBLIC_URL to how clients reach the API")
    assert list(configuration.named(settings(**MAIN, GENPULSE_API__PUBLIC_URL="https://api.example"))) == []
    assert list(configuration.named(settings(ENV="dev", GENPULSE_API__HOST="0.0.0.0"))) == []


@pytest.mark.parametrize(
    ("bare", "name"), [("OPENAI_API_KEY", "openai"), ("FAL_KEY", "fal"), ("REPLICATE_API_TOKEN", "replicate")]
)
def test_a_key_under_the_name_of_the_vendors_own_packages_is_told(settings, monkeypatch, bare, name):
    monkeypatch.setenv(bare, "secret")
    [found] = [each for each in configuration.providers(settings()) if each.name == f"provider {name}"]
    assert (found.level, found.detail.split()[0]) == (Level.WARNING, bare)
    assert f"GENPULSE_PROVIDERS__{name.upper()}__API_KEY" in found.advice
    there = settings(**{f"GENPULSE_PROVIDERS__{name.upper()}__API_KEY": "x"})
    assert not [each for each in configuration.providers(there) if each.name == f"provider {name}"]


def test_settings_of_a_provider_that_nobody_knows_are_told_with_the_one_that_is_like_it(settings):
    found = {
        each.name: each for each in configuration.providers(settings(GENPULSE_PROVIDERS__OPENNAI__API_KEY="x"))
    }
    assert "Did you mean providers.openai?" in found["provider opennai"].detail


def test_what_waits_on_the_disk_and_what_was_left_there(settings, tmp_path):
    here = settings(GENPULSE_STORAGE__SPOOL_DIR=str(tmp_path))
    elsewhere = settings(**MAIN, GENPULSE_STORAGE__SPOOL_DIR=str(tmp_path))
    assert [(each.level, each.detail) for each in machine.waiting(here)] == [
        (Level.OK, "0 files (0.0 MB), of running processes")
    ]
    folder = SpoolFolder(tmp_path, f" {here.storage_url}")
    with folder.file() as file:
        file.write(bytes(2_000_000))
        file.flush()
        assert next(machine.waiting(here)).detail == "1 file (2.0 MB), of running processes"
        left = tmp_path / f"{Path(file.name).parent.name}left"
    left.mkdir()
    (left / "stream").write_bytes(bytes(3_000_000))
    _, own = machine.waiting(here)
    assert (own.level, own.detail) == (
        Level.WARNING,
        f"1 file (3.0 MB) in {tmp_path} of processes that were killed",
    )
    assert "the next start of an api or a worker removes them" in own.advice
    _, others = machine.waiting(elsewhere)
    assert others.level is Level.OK
    assert (
        f"that kept elsewhere than storage.url says: their next start removes them, or rm -r {left}"
        in others.detail
    )
    folder.close()


def test_a_provider_that_lacks_its_key_is_named_with_the_variable(settings):
    def told(**variables):
        return next(
            each.detail for each in configuration.providers(settings(**variables)) if each.name == "providers"
        )

    assert "fal (costs money, refused)," in told()
    names = ("FAL", "OPENAI", "REPLICATE")
    variables = {f"GENPULSE_PROVIDERS__{name}__API_KEY": "k" for name in names}
    assert told().endswith(f"; not set up without {', '.join(variables)}")
    assert "not set up" not in told(**variables)

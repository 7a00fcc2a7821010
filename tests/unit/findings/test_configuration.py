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
    found = [each.name for each in configuration.reached(settings(**MAIN))]
    assert found == ["public URL"]


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

"""Where a value comes from."""

from itertools import product

import pytest

from genpulse.configuration.documents.explanation import explain, explain_all
from genpulse.configuration.documents.masking import HIDDEN, shown

PROCESS = {"GENPULSE_WORKER__BATCH": "9", "GENPULSE_DATABASE_URL": "postgresql://ada:s3cret@db/gp?sslkey=s3cret"}


def test_each_layer_and_the_one_that_wins(project):
    (project / ".env").write_text("\nGENPULSE_WORKER__BATCH=7\n")
    found = explain("worker.batch", project, PROCESS)
    assert (found.winner, found.value) == ("environ", "9")
    assert [(said.layer, said.value, said.place) for said in found.layers] == [
        ("default", 5, "config/config.yaml [default] line 3"),
        ("environment", None, ""),
        ("dotenv", "7", ".env line 2, GENPULSE_WORKER__BATCH"),
        ("environ", "9", "GENPULSE_WORKER__BATCH"),
    ]


def test_the_name_of_the_variable_will_do(project):
    assert explain("GENPULSE_WORKER__CONCURRENCY", project, {}).winner == "environment"


def test_what_nobody_sets_is_the_codes(project):
    found = explain("api.port", project, {})
    assert (found.winner, found.value) == ("", 8000)


def test_there_is_no_such_setting(project):
    assert explain("worker.bach", project, {}) is None


def test_secrets_are_masked_and_addresses_help(project):
    assert explain("database_url", project, PROCESS).value == "postgresql://********@db/gp?…"
    assert (
        explain("providers.art.api_key", project, {"GENPULSE_PROVIDERS__ART__API_KEY": "s3cret"}).value
        == "********"
    )
    hidden = {"GENPULSE_PROVIDERS__ART__OPTIONS__API_TOKEN": "s3cret", "GENPULSE_DATABASE_URL": "s3cret"}
    shown = {each.key: each.value for each in explain_all(project, hidden)}
    assert shown["providers.art.options.api_token"] == "********"
    assert shown["database_url"] == "********"
    assert shown["providers.art.options.size"] == "big"


def test_all_of_them_have_a_value_or_none(project):
    everything = {each.key for each in explain_all(project, {})}
    assert {"database_url", "redis.url", "providers.paid", "providers.art.options.size", "log.level"} <= everything


def test_an_option_that_is_known_says_what_it_means(project):
    setting = explain("providers.art.options.allowed_hosts", project, {}).setting
    assert (setting.kind, "result files are fetched" in setting.meaning) == ("hosts, with commas", True)
    assert explain("providers.art.options.size", project, {}).setting.kind == "section"


@pytest.mark.parametrize("key", ["database_url", "redis.url", "storage.endpoint", "providers.art.base_url"])
def test_no_sign_in_a_password_shows_a_part_of_it(key):
    signs = (*"/?#[]@: %,", "℀", "//", "://", "/@", "?@")
    logins = ("ada:s3{}cret", "ada:{}s3cret", "ada:s3cret{}", "s3{}cret", ":s3{}cret")
    for scheme, login, sign in product(("postgresql", "rediss+sentinel", "https"), logins, signs):
        found = shown(key, f"{scheme}://{login.format(sign)}@db.example.com/gp")
        assert "s3" not in found, found
        assert "cret" not in found, found


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("database_url", "postgresql://ada:s3cret@a:1,[::1]:2/gp?x=1", f"postgresql://{HIDDEN}@a:1,[::1]:2/gp?…"),
        ("redis.url", "redis+sentinel://a,b/service/0", "redis+sentinel://a,b/service/0"),
        ("redis.url", "unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        ("database_url", "postgresql://ada:s3cret@[::1/gp", HIDDEN),
        ("storage.url", "file:///srv/a@b", "file:///srv/a@b"),
        ("storage.endpoint", "https://key:s3cret@store:9000", f"https://{HIDDEN}@store:9000"),
        ("api.public_url", "https://media.example.com/?token=s3cret", "https://media.example.com/?…"),
        ("log.level", "what is this?", "what is this?"),
    ],
)
def test_of_an_address_is_shown_what_helps(key, value, said):
    assert shown(key, value) == said


def test_aliases_are_told_as_one_since_their_names_may_have_dots(project):
    lines = "default:\n  doors:\n    aliases:\n      gpt-image-1.5: sandbox/image\n"
    (project / "config" / "config.yaml").write_text(lines)
    told = {each.key: each.value for each in explain_all(project, {}) if each.key.startswith("doors.aliases")}
    assert told == {"doors.aliases": "{'gpt-image-1.5': 'sandbox/image'}"}

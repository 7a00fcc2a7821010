"""Everything that is wrong comes at once, with its place and without secrets."""

import pytest

from genpulse.config import ConfigurationError, load


def test_all_problems_come_at_once(refused):
    message = refused(
        {
            "GENPULSE_DATABASE_URL": "",
            "GENPULSE_REDIS_URL": "redis://:s3cret@h",
            "GENPULSE_API__PORT": "99999",
            "GENPULSE_WORKER__CONCURENCY": "5",
            "GENPULSE_RETRY__BASE_S": "301",
        },
        "\n# a comment\n\nGENPULSE_LOG__LEVEL=loud\n",
    )
    assert "The configuration of development has 6 problems:" in message
    assert "database_url (GENPULSE_DATABASE_URL): it is missing: set GENPULSE_DATABASE_URL" in message
    assert (
        "GENPULSE_REDIS_URL is not a setting. Did you mean GENPULSE_REDIS__URL? (the process environment)"
        in message
    )
    assert "GENPULSE_WORKER__CONCURENCY is not a setting. Did you mean GENPULSE_WORKER__CONCURRENCY?" in message
    assert (
        "api.port (GENPULSE_API__PORT): expected whole number, at least 1, at most 65535, found '99999'" in message
    )
    assert (
        "log.level (.env line 4, GENPULSE_LOG__LEVEL): expected debug, info, warning, error, found 'loud'"
        in message
    )
    assert "retry.base_s (GENPULSE_RETRY__BASE_S): the first wait (301 s) is longer" in message


def test_the_address_for_clients_is_no_setting_and_no_fault_beside_them(loaded, refused):
    assert loaded({"GENPULSE_URL": "https://media.example"}).api.port
    words = "GENPULSE_URL is not a setting: it names an API to clients and the command line"
    assert words in refused({}, "GENPULSE_URL=https://media.example\n")


@pytest.mark.parametrize("value", ["", "  "])
def test_a_database_that_is_empty_is_missing(refused, value):
    assert "database_url (GENPULSE_DATABASE_URL): it is missing" in refused({"GENPULSE_DATABASE_URL": value})


def test_a_database_that_is_null_or_absent_is_missing(project):
    (project / "config/config.yaml").write_text("default: {database_url: null}\n")
    with pytest.raises(ConfigurationError, match="database_url: it is missing"):
        load(project, {"GENPULSE_REDIS__URL": "redis://localhost"})


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://h/d", "h/d"])
def test_postgresql_is_the_only_database(refused, url):
    message = refused({"GENPULSE_DATABASE_URL": url})
    assert "database_url (GENPULSE_DATABASE_URL): it must begin with postgresql://" in message


def test_the_value_of_a_secret_of_the_wrong_type_is_not_shown(refused, project):
    (project / "config/config.yaml").write_text("default:\n  webhooks: {secret: 4711}\n")
    message = refused()
    assert "webhooks.secret (config/config.yaml [default] line 2): expected secret" in message
    assert "4711" not in message


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("default: [\n", ["config/config.yaml", "line 2, column 1"]),
        ("default:\n\tlog: 1\n", ["config/config.yaml", "line 2, column 1"]),
        ("default: {log: {level: info}}\ndefault: {}\n", ["duplicate key", "line 2"]),
        ("prodction: {log: {level: info}}\n", ["prodction (config/config.yaml line 1)", "development"]),
        ("- default\n", ["expected the sections default, development"]),
        ("default: 5\n", ["expected keys below it"]),
        (
            "default:\n  worker:\n    btch: 5\n",
            ["worker.btch is not a setting. Did you mean worker.batch?", "line 3"],
        ),
        ("default:\n  worker: 5\n", ["worker is a section", "line 2"]),
        ("default:\n  api:\n    port: 70000\n", ["api.port (config/config.yaml [default] line 3)", "found 70000"]),
    ],
)
def test_a_broken_committed_file_is_told_with_its_line(refused, project, document, words):
    (project / "config/config.yaml").write_text(document)
    message = refused()
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("dotenv", "words"),
    [
        ("GENPULSE_LOG__LEVEL=info\n\n'broken\n", [".env (line 3)", "NAME=value"]),
        ("GENPULSE_LOG__LEVEL='info\n", [".env (line 1)"]),
        ("genpulse_log__level=info\n", ["genpulse_log__level is not read", "GENPULSE_LOG__LEVEL", ".env line 1"]),
    ],
)
def test_a_broken_dotenv_is_told_with_its_line(refused, dotenv, words):
    message = refused({}, dotenv)
    for word in words:
        assert word in message


def test_a_folder_in_place_of_a_file(project, refused):
    (project / "config/config.yaml").unlink()
    (project / "config/config.yaml").mkdir()
    assert "this is a directory, expected a file" in refused()


def test_a_file_that_is_no_text(project, refused):
    (project / "config/config.yaml").write_bytes(b"default: {log: {level: \xff}}\n")
    assert "not UTF-8" in refused()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("GENPULSE_ENV", "use ENV or ENV_FOR_DYNACONF"),
        ("GENPULSE_ENVIRONMENT", "use ENV or ENV_FOR_DYNACONF"),
        ("GENPULSE_ENV_FOR_DYNACONF", "GENPULSE_ENV_FOR_DYNACONF is one of Dynaconf's own"),
        ("MERGE_ENABLED_FOR_DYNACONF", "MERGE_ENABLED_FOR_DYNACONF is one of Dynaconf's own"),
        ("DYNACONF_API", "DYNACONF_API is one of Dynaconf's own"),
        ("GENPULSE_REDIS", "GENPULSE_REDIS is a section"),
        ("GENPULSE_PROVIDERS__ART", "set GENPULSE_PROVIDERS__ART__ENABLED"),
        ("GENPULSE_PROVIDERS__ART__API_KEYS", "Did you mean GENPULSE_PROVIDERS__ART__API_KEY?"),
        ("GENPULSE_DATABASE__URL", "Did you mean GENPULSE_DATABASE_URL?"),
    ],
)
def test_names_that_are_refused(refused, name, hint):
    assert hint in refused({name: "x"})
    assert hint in refused({}, f"{name}=x\n")


def test_a_variable_of_dynaconfs_own_hides_nothing_else(refused):
    said = refused({"DYNACONF_API": "x", "GENPULSE_DATABASE_URL": " "})
    assert "DYNACONF_API is one of Dynaconf's own" in said
    assert "database_url (GENPULSE_DATABASE_URL): it is missing" in said


def test_two_variables_that_contradict(refused):
    one, other = "GENPULSE_PROVIDERS__ART__OPTIONS__A", "GENPULSE_PROVIDERS__ART__OPTIONS__A__B"
    assert f"it contradicts {other}" in refused({one: "1", other: "2"})


def test_a_variable_of_somebody_else_is_none_of_ours(project):
    assert load(project, {"SOMETHING": "x", "genpuls": "y"}, require=()).api.port == 8000


@pytest.mark.parametrize("url", ["ops.example.com/hooks", "ftp://ops.example.com", "https://", "https://a b"])
def test_warnings_are_sent_to_a_web_server(refused, url):
    assert "budget.warning_url" in refused({"GENPULSE_BUDGET__WARNING_URL": url})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUDGET__MONTHLY_USD", "-1"),
        ("BUDGET__DAILY_USD", "1e400"),
        ("PROVIDERS__FAL__MONTHLY_USD", "1e400"),
        ("BUDGET__WARN_AT", "0"),
        ("BUDGET__WARN_AT", "80"),
        ("PROVIDERS__FAL__DAILY_USD", "x"),
    ],
)
def test_budgets_that_make_no_sense_are_refused(refused, name, value):
    assert f"GENPULSE_{name}" in refused({f"GENPULSE_{name}": value})

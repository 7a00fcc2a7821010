"""Where a value comes from."""

from genpulse.configuration.explanation import explain, explain_all

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
    known = explain("providers.art.options.allowed_hosts", project, {}).known
    assert (known.kind, "result files are fetched" in known.meaning) == ("hosts, with commas", True)
    assert explain("providers.art.options.size", project, {}).known.kind == "section"

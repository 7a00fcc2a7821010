"""What stands below `providers.<name>.options`."""

import pytest

from genpulse.configuration.rules.provider_options import OPTIONS, faults, typed
from genpulse.provider import ProviderSettings
from genpulse.wiring.catalogue import open_catalogue

STUDIO = {
    "GENPULSE_PROVIDERS__STUDIO__ADAPTER": "openai_compatible",
    "GENPULSE_PROVIDERS__STUDIO__BASE_URL": "http://studio:8000/v1",
    "GENPULSE_PROVIDERS__STUDIO__MODELS__VIDEO": "wan",
}


def option(name, value, provider="STUDIO"):
    return {f"GENPULSE_PROVIDERS__{provider}__OPTIONS__{name.upper()}": value}


def test_hosts_and_words_reach_the_provider(loaded):
    process = STUDIO | option("allowed_hosts", "minio:9000, files") | option("done_words", "Gelungen")
    options = loaded(process).providers.named["studio"].options
    assert options == {"allowed_hosts": "minio:9000, files", "done_words": "Gelungen"}


def test_a_provider_gets_the_hosts_that_are_allowed():
    assert ProviderSettings(options={"allowed_hosts": "Minio:9000, files"}).allowed_hosts == {
        "minio:9000",
        "files",
    }
    assert ProviderSettings().allowed_hosts == frozenset()


def test_a_list_in_the_committed_file_is_the_same_as_text_with_commas(project, loaded):
    text = "default: {providers: {studio: {adapter: openai_compatible, options: {done_words: [fertig, da]}}}}"
    (project / "config/config.yaml").write_text(text)
    assert loaded().providers.named["studio"].options == {"done_words": "fertig, da"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("allowed_hosts", "https://minio:9000/bucket", "'https://minio:9000/bucket' is more than a host"),
        ("allowed_hosts", "*.example.com", "'*.example.com' is a pattern: name each host"),
        ("allowed_hosts", "good.example, 127.1", "'127.1' is no IPv4 address"),
        ("paid", "perhaps", "expected true or false, found 'perhaps'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name(refused, name, value, words):
    message = refused(STUDIO | option(name, value))
    assert f"providers.studio.options.{name}" in message
    assert words in message


def test_hosts_are_looked_at_whatever_the_plug_in_is(refused):
    assert "is a pattern" in refused(option("allowed_hosts", "*", provider="MADE_ELSEWHERE"))


def test_a_word_means_one_thing(refused):
    message = refused(STUDIO | option("done_words", "ready, Waiting") | option("running_words", "waiting "))
    assert "providers.studio.options.running_words" in message
    assert "the word 'waiting' stands in done_words too" in message


def test_a_plug_in_may_read_what_it_likes():
    assert list(faults("made_elsewhere", {"paid": "perhaps", "done_words": "a", "failed_words": "a"})) == []
    assert typed("made_elsewhere", {"paid": "true"}) == {"paid": "true"}


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("TRUE", True), ("1", True), ("no", False)])
def test_a_flag_of_a_variable_is_true_or_false(text, flag):
    assert typed("openai_compatible", {"paid": text}) == {"paid": flag}


def test_a_server_that_costs_money_by_a_variable_does(loaded):
    """The text of a variable is no boolean by itself."""
    catalogue = open_catalogue(loaded(STUDIO | option("paid", "true")))
    assert catalogue.is_paid("studio")
    assert not open_catalogue(loaded(STUDIO | option("paid", "false"))).is_paid("studio")
    assert not open_catalogue(loaded(STUDIO | option("paid", ""))).is_paid("studio")


def test_every_option_says_what_it_means():
    assert [option.name for option in OPTIONS if not option.meaning.endswith(".")] == []
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)

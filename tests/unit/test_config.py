"""Layers, merged and frozen."""

import os
from pathlib import Path

import pytest
from dynaconf import Dynaconf

from genpulse import config
from genpulse.config import ConfigurationError, dynaconf_settings, load

SERVERS = {"GENPULSE_DATABASE_URL": "postgresql://u:p@h/d", "GENPULSE_REDIS__URL": "redis://:s3cret@h/0"}
YAML = """
default:
  worker: {concurrency: 10, batch: 5}
  log: {level: info}
  providers: {art: {options: {size: big}}}
development:
  worker: {concurrency: 20}
testing:
  log: {level: error}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(YAML)
    return tmp_path


def loaded(folder, process=None, dotenv="", **options):
    (folder / ".env").write_text(dotenv)
    return load(folder, {**SERVERS, **(process or {})}, **options)


def test_an_empty_folder_has_the_packaged_defaults(tmp_path):
    settings = load(tmp_path, SERVERS)
    assert (settings.api.port, settings.worker.lease_s, settings.root) == (8000, 15, tmp_path)
    assert settings.key_prefix == "dev:"
    assert settings.storage_url == (tmp_path / ".genpulse/storage").as_uri()


def test_each_layer_is_over_the_one_before(project):
    assert loaded(project).worker.concurrency == 20
    assert loaded(project, {}, "GENPULSE_WORKER__CONCURRENCY=30\n").worker.concurrency == 30
    both = loaded(project, {"GENPULSE_WORKER__CONCURRENCY": "40"}, "GENPULSE_WORKER__CONCURRENCY=30\n")
    assert both.worker.concurrency == 40
    assert both.worker.batch == 5


def test_the_section_of_another_environment_does_not_count(project):
    assert loaded(project).log.level == "info"
    assert loaded(project, {"ENV": "test"}).log.level == "error"


def test_the_same_from_a_folder_below(project):
    below = project / "a/b"
    below.mkdir(parents=True)
    (project / ".env").write_text("GENPULSE_WORKER__CONCURRENCY=30\n")
    settings = load(below, SERVERS)
    assert (settings.worker.concurrency, settings.root) == (30, project)


@pytest.mark.parametrize(
    "value", ["007", "12e3456", "@read_file /etc/hostname", "true", "[1,2]", "a#b", "https://h/?a=1&b=%20#c"]
)
def test_text_stays_what_was_written(project, value):
    settings = loaded(project, {"GENPULSE_PROVIDERS__ART__API_KEY": value})
    assert settings.providers["art"].api_key.get_secret_value() == value
    assert settings.providers["art"].options == {"size": "big"}


def test_the_process_environment_is_left_alone(project, tmp_path):
    before = dict(os.environ)
    loaded(project, {}, "GENPULSE_LOG__LEVEL=debug\nSOMETHING=else\n")
    assert dict(os.environ) == before


def test_all_problems_come_at_once_and_without_secrets(project):
    wrong = {
        "GENPULSE_DATABASE_URL": "",
        "GENPULSE_REDIS_URL": "redis://:hunter2@h",
        "GENPULSE_API__PORT": "99999",
        "GENPULSE_WORKER__CONCURENCY": "5",
    }
    with pytest.raises(ConfigurationError) as caught:
        loaded(project, wrong)
    message = str(caught.value)
    assert caught.value.exit_code == 78
    assert len(caught.value.problems) == 4
    assert "database_url is missing" in message
    assert (
        "GENPULSE_REDIS_URL is not a setting (in the process environment). Did you mean GENPULSE_REDIS__URL?"
        in message
    )
    assert "GENPULSE_WORKER__CONCURENCY" in message
    assert "GENPULSE_WORKER__CONCURRENCY?" in message
    assert "api.port (from the process environment)" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://h/d", "h/d"])
def test_postgresql_is_the_only_database(project, url):
    with pytest.raises(ConfigurationError, match="postgresql://"):
        loaded(project, {"GENPULSE_DATABASE_URL": url})


def test_what_is_not_required_may_be_missing(project):
    (project / ".env").write_text("")
    assert load(project, {}, require=()).database_url is None


def test_an_unknown_section_is_refused(project):
    (project / "config/config.yaml").write_text("prodction: {log: {level: info}}\n")
    with pytest.raises(ConfigurationError, match="prodction"):
        loaded(project)


def test_broken_yaml_is_said(project):
    (project / "config/config.yaml").write_text("default: [\n")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        loaded(project)


def test_a_namespace_stands_behind_the_prefix(project):
    assert loaded(project, {"GENPULSE_REDIS__NAMESPACE": "ada"}).key_prefix == "dev:ada:"


def test_settings_do_not_change_and_do_not_show_secrets(project):
    settings = loaded(project)
    with pytest.raises(ValueError, match="frozen"):
        settings.worker.concurrency = 1
    assert "s3cret" not in repr(settings)


def test_dynaconf_holds_the_committed_layers(project):
    settings = dynaconf_settings(project / "config/config.yaml", "development")
    assert isinstance(settings, Dynaconf)
    assert (settings.worker.concurrency, settings.worker.batch) == (20, 5)
    assert isinstance(config.settings, Dynaconf)


def test_the_example_holds_every_setting_and_no_secret():
    lines = [
        line.lstrip("#")
        for line in (Path(__file__).parents[2] / ".env.example").read_text().splitlines()
        if "=" in line
    ]
    named = {line.partition("=")[0] for line in lines if line.startswith("GENPULSE_")}
    known = {config._variable(key) for key in config._known_keys() if "*" not in key}
    assert known <= named
    for line in lines:
        assert not ("SECRET" in line or "API_KEY=" in line or "URL=p" in line) or line.endswith("=")

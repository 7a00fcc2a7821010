"""Layers, merged and frozen."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from dynaconf import Dynaconf

from genpulse import config
from genpulse.config import load
from tests.unit.configuration.conftest import SERVERS


def test_an_empty_folder_has_the_packaged_defaults(tmp_path):
    settings = load(tmp_path, SERVERS)
    assert (settings.api.port, settings.worker.lease_s, settings.root) == (8000, 15, tmp_path)
    assert settings.key_prefix == "dev:"
    assert settings.storage_url == (tmp_path / ".genpulse/storage").as_uri()


def test_each_layer_is_over_the_one_before(loaded):
    assert loaded().worker.concurrency == 20
    assert loaded({}, "GENPULSE_WORKER__CONCURRENCY=30\n").worker.concurrency == 30
    both = loaded({"GENPULSE_WORKER__CONCURRENCY": "40"}, "GENPULSE_WORKER__CONCURRENCY=30\n")
    assert both.worker.concurrency == 40
    assert both.worker.batch == 5


def test_the_section_of_another_environment_does_not_count(loaded):
    assert loaded().log.level == "info"
    assert loaded({"ENV": "test", "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true"}).log.level == "error"


def test_the_same_from_a_folder_below_and_from_any_thread(project):
    below = project / "a/b"
    below.mkdir(parents=True)
    (project / ".env").write_text("GENPULSE_WORKER__CONCURRENCY=30\n")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda folder: load(folder, SERVERS), [below, project] * 4))
    assert {(settings.worker.concurrency, settings.root) for settings in found} == {(30, project)}


@pytest.mark.parametrize(
    "value",
    [
        "007",
        "12e3456",
        "@read_file /etc/hostname",
        "@format {env[HOME]}",
        "@none",
        "true",
        "[1,2]",
        "{a=1}",
        "1979-05-27",
        "a#b",
        "https://h/?a=1&b=%20#c",
    ],
)
def test_text_stays_what_was_written(loaded, value):
    settings = loaded({"GENPULSE_PROVIDERS__ART__API_KEY": value})
    assert settings.providers.named["art"].api_key.get_secret_value() == value
    assert settings.providers.named["art"].options == {"size": "big"}
    quoted = loaded({}, f"GENPULSE_PROVIDERS__ART__API_KEY='{value}'\n")
    assert quoted.providers.named["art"].api_key.get_secret_value() == value


def test_the_process_environment_is_left_alone(loaded):
    before = dict(os.environ)
    loaded({}, "GENPULSE_LOG__LEVEL=debug\nSOMETHING=else\n")
    assert dict(os.environ) == before


def test_what_is_not_required_may_be_missing(project):
    assert load(project, {}, require=()).database_url is None


def test_a_namespace_stands_behind_the_prefix(loaded):
    assert loaded({"GENPULSE_REDIS__NAMESPACE": "ada"}).key_prefix == "dev:ada:"


def test_settings_do_not_change_and_do_not_show_secrets(loaded):
    settings = loaded()
    with pytest.raises(ValueError, match="frozen"):
        settings.worker.concurrency = 1
    assert "s3cret" not in repr(settings)


def test_a_committed_file_in_place_of_the_developers_own(project):
    (project / ".env").write_text("GENPULSE_LOG__LEVEL=nonsense\n")
    found = config.check_committed(load(project, SERVERS | {"GENPULSE_LOG__LEVEL": "info"}).environment, project)
    assert found.log.level == "info"
    assert found.database_url is None


SEEN_BY_DYNACONF = """
import json
from dynaconf import Dynaconf
from genpulse import config
settings = config.settings
print(json.dumps([
    isinstance(settings, Dynaconf), settings.current_env, settings.worker.concurrency, settings.worker.batch,
    settings.log.level, settings.get("providers.art.api_key"), settings.DATABASE_URL, settings is config.settings,
]))
"""


def test_dynaconf_holds_all_four_layers(project):
    (project / ".env").write_text("GENPULSE_LOG__LEVEL=debug\nGENPULSE_PROVIDERS__ART__API_KEY=@read_file x\n")
    process = {**SERVERS, "ENV": " DEV ", "GENPULSE_WORKER__BATCH": "7", "PATH": os.defpath}
    said = subprocess.run(
        [sys.executable, "-c", SEEN_BY_DYNACONF],
        cwd=project,
        env=process,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout) == [
        True,
        "development",
        20,
        7,
        "debug",
        "@read_file x",
        SERVERS["GENPULSE_DATABASE_URL"],
        True,
    ]


def test_importing_reads_nothing_and_imports_neither_dynaconf_nor_pydantic(tmp_path):
    (tmp_path / ".env").mkdir()
    script = "import sys, genpulse, genpulse.config; print({'dynaconf', 'pydantic', 'dotenv'} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"ENV": "nonsense"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "set()"


def test_dynaconf_is_an_object_of_its_class():
    assert isinstance(config.settings, Dynaconf)


def test_blanks_and_line_ends_around_addresses_of_servers_do_not_matter(loaded):
    padded = {name: f" {value}\n" for name, value in SERVERS.items()}
    found = loaded(padded)
    assert found.database_url.get_secret_value() == SERVERS["GENPULSE_DATABASE_URL"]
    assert found.redis.url.get_secret_value() == SERVERS["GENPULSE_REDIS__URL"]

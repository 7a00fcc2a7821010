"""The settings as programs read them that know Dynaconf."""

import pytest
from dynaconf import Dynaconf, ValidationError

from genpulse.config import ConfigurationError, as_dynaconf, load
from genpulse.configuration.dynaconf_settings import SettingsDoNotChange
from genpulse.configuration.schema import keys
from tests.unit.configuration.conftest import SERVERS


@pytest.fixture
def settings(project):
    (project / ".env").write_text("ENV=dev\nGENPULSE_API__PORT=8002\nGENPULSE_BUDGET__DAILY_USD=1.50\n")
    return as_dynaconf(
        project, {**SERVERS, "GENPULSE_PROVIDERS__ART__RATE": "5/s", "GENPULSE_REDIS__NAMESPACE": "me"}
    )


def test_every_setting_is_there_with_the_value_and_type_that_processes_use(settings, project):
    frozen = load(project, {**SERVERS, "GENPULSE_PROVIDERS__ART__RATE": "5/s", "GENPULSE_REDIS__NAMESPACE": "me"})
    compared = 0
    for known in keys():
        if "<name>" in known.key or known.secret:
            continue
        expected = frozen
        for part in known.key.split("."):
            expected = getattr(expected, part)
        assert settings[known.key] == expected, known.key
        assert type(settings[known.key]) is type(expected), known.key
        compared += 1
    assert compared > 40
    assert settings.PROVIDERS.ART.RATE == "5/s"
    assert settings.PROVIDERS.ART.OPTIONS == {"size": "big"}


def test_a_name_is_found_however_it_is_written(settings):
    assert isinstance(settings, Dynaconf)
    spellings = (settings.API.PORT, settings.api.port, settings["api.port"], settings.API["Port".upper()])
    assert set(spellings) == {8002}
    assert settings.get("api.port") == 8002
    assert settings.get("api.nothing", 5) == 5
    assert "API" in settings
    assert "LOAD_DOTENV" not in settings
    with pytest.raises(AttributeError, match="NOPE is not a setting"):
        _ = settings.NOPE
    with pytest.raises(AttributeError, match="nope is not a setting of this section"):
        _ = settings.API.nope


def test_it_has_the_key_prefix_and_nothing_of_dynaconfs_own(settings):
    assert settings.REDIS.KEY_PREFIX == "dev:me:"
    topmost = {known.key.partition(".")[0].upper() for known in keys()}
    assert set(settings.as_dict()) == set(settings.keys()) == set(settings) == topmost
    assert settings.as_dict()["API"]["port"] == 8002


@pytest.mark.parametrize(
    "change",
    [
        lambda settings: settings.set("API.PORT", 1),
        lambda settings: settings.update({"A": 1}),
        lambda settings: settings.setenv("production"),
        lambda settings: settings.from_env("production"),
        lambda settings: settings.reload(),
        lambda settings: settings.unset("API"),
        lambda settings: settings.load_file("x.yaml"),
        lambda settings: setattr(settings, "API", 1),
        lambda settings: settings.__setitem__("API", 1),
        lambda settings: delattr(settings, "API"),
        lambda settings: setattr(settings.API, "PORT", 1),
        lambda settings: settings.API.__setitem__("port", 1),
        lambda settings: settings.API.update(port=1),
        lambda settings: settings.API.pop("port"),
        lambda settings: settings.API.clear(),
        lambda settings: settings.PROVIDERS.ART.OPTIONS.setdefault("x", 1),
    ],
)
def test_it_cannot_be_changed(settings, change):
    before = settings.as_dict()
    with pytest.raises(SettingsDoNotChange, match=r"read once|not possible"):
        change(settings)
    assert settings.as_dict() == before


def test_its_validators_are_in_it_and_a_missing_database_is_dynaconfs_own_error(project):
    settings = as_dynaconf(project, {"ENV": "dev"})
    assert len(settings.validators) == 2
    for asked in (lambda: settings.validators.validate(), lambda: settings.DATABASE_URL):
        with pytest.raises(ValidationError, match="database_url: it is missing: set GENPULSE_DATABASE_URL"):
            asked()
    assert settings.get("DATABASE_URL") is None
    assert settings.WORKER.CONCURRENCY == 20
    as_dynaconf(project, SERVERS).validators.validate()


@pytest.mark.parametrize("process", [{"ENV": "test"}, {"GENPULSE_API__PORT": "x"}, {"GENPULSE_NOPE": "1"}])
def test_what_is_wrong_is_ours_and_dynaconfs_own_error(project, process):
    with pytest.raises(ValidationError) as caught:
        as_dynaconf(project, process)
    assert isinstance(caught.value, ConfigurationError)
    with pytest.raises(ValidationError):
        load(project, process)


def test_a_dotenv_of_another_environment_reaches_no_setting_and_is_told_once(project, capsys):
    (project / ".env").write_text("ENV=main\nGENPULSE_API__PORT=9999\nGENPULSE_WEBHOOKS__SECRET=production's\n")
    for _ in range(2):
        settings = load(project, {"ENV": "dev"}, require=())
        assert (settings.api.port, settings.webhooks.secret) == (8000, None)
    assert as_dynaconf(project, {"ENV": "dev"}).API.PORT == 8000
    said = capsys.readouterr().err
    assert said.count("warning") == 1
    for word in ("development", "production", str(project / ".env")):
        assert word in said

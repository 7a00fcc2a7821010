"""The settings as programs read them that know Dynaconf."""

import copy
import os
import pickle

import pytest
from dynaconf import Dynaconf, ValidationError, Validator

from genpulse.config import ConfigurationError, as_dynaconf, load
from genpulse.configuration.dynaconf_view.unchanging import SettingsDoNotChange
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
        is_section = known.kind == "section"
        assert is_section or type(settings[known.key]) is type(expected), known.key
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
    for name in ("API__PORT", "api__port", "API.PORT"):
        assert (
            settings(name) == settings[name] == settings.get(name, fresh=True) == getattr(settings, name) == 8002
        )
        assert name in settings
        assert settings.exists(name)
        assert settings.get(name, cast="@str") == "8002"
    assert "API" in settings
    assert "API.NOPE" not in settings
    assert "API.PORT.NOPE" not in settings
    assert not settings.exists("API.PUBLIC_URL")
    assert settings.as_dict(env="development", internal=True) == settings.as_dict()
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
        lambda settings: settings.configure(FORCE_ENV_FOR_DYNACONF="production"),
        lambda settings: settings.as_dict(env="production"),
        lambda settings: setattr(settings, "_wrapped", None),
        lambda settings: settings.validators.clear(),
        lambda settings: settings.validators.pop(),
        lambda settings: settings.validators.register(Validator("X", must_exist=True)),
        lambda settings: settings.validators.__delitem__(0),
        lambda settings: settings.PROVIDERS.ART.OPTIONS.setdefault("x", 1),
    ],
)
def test_it_cannot_be_changed(settings, change):
    before = settings.as_dict()
    with pytest.raises(SettingsDoNotChange, match=r"read once|not possible"):
        change(settings)
    assert settings.as_dict() == before
    assert len(settings.validators) == 2
    assert settings.current_env == "development"


def test_a_copy_is_the_same_and_a_section_can_be_sent_to_another_process(settings):
    for again in (copy.copy, copy.deepcopy):
        assert again(settings).API.PORT == again(settings.API).PORT == 8002
    sent = pickle.loads(pickle.dumps(settings.PROVIDERS))
    assert sent.ART.OPTIONS == {"size": "big"}
    with pytest.raises(SettingsDoNotChange):
        sent.ART.OPTIONS["size"] = "small"
    with pytest.raises(TypeError, match=r"from genpulse\.config import settings"):
        pickle.dumps(settings)


def test_its_validators_are_in_it_and_a_missing_database_is_dynaconfs_own_error(project):
    settings = as_dynaconf(project, {"ENV": "dev"})
    assert len(settings.validators) == 2
    for asked in (lambda: settings.validators.validate(), lambda: settings.DATABASE_URL):
        with pytest.raises(ValidationError, match="database_url: it is missing: set GENPULSE_DATABASE_URL"):
            asked()
    assert settings.get("DATABASE_URL") is None
    assert settings.WORKER.CONCURRENCY == 20
    complete = as_dynaconf(project, SERVERS)
    complete.validators.validate()
    Validator("API.PORT", must_exist=True, gte=1).validate(complete)
    with pytest.raises(ValidationError, match=r"API\.PORT"):
        Validator("API.PORT", lt=1).validate(complete)


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
    for word in ("development", "production", ".env"):
        assert word in said


@pytest.mark.parametrize(
    ("dotenv", "words"),
    [
        ("env=main\n", "env is not read: variables are written in capitals. Use ENV. (.env line 1)"),
        ("Env_For_Dynaconf=production\n", "Use ENV_FOR_DYNACONF."),
        ("ENV=main\nENV=dev\n", "ENV='main', and ENV='dev' below it: keep one of them. (.env line 1)"),
        ("ENV\nGENPULSE_API__PORT=1\n", ".env (line 1): expected NAME=value"),
    ],
)
def test_a_dotenv_that_only_seems_to_say_whose_it_is_is_refused(project, dotenv, words):
    (project / ".env").write_text(dotenv + "GENPULSE_WEBHOOKS__SECRET=topsecret\n")
    with pytest.raises(ConfigurationError) as caught:
        load(project, {**SERVERS, "ENV": "dev"})
    assert words in str(caught.value)
    assert "topsecret" not in str(caught.value)


def test_what_a_section_shows_of_itself_holds_no_secret(project):
    secrets = {
        "GENPULSE_DATABASE_URL": "postgresql://me:topsecret@127.0.0.1/genpulse",
        "GENPULSE_WEBHOOKS__SECRET": "topsecret-a",
        "GENPULSE_PROVIDERS__ART__API_KEY": "topsecret-b",
        "GENPULSE_PROVIDERS__ART__OPTIONS__TOKEN": "topsecret-c",
        "GENPULSE_REDIS__URL": "redis://:topsecret@127.0.0.1:6379/0",
    }
    settings = as_dynaconf(project, {**SERVERS, **secrets})
    texts = [repr(settings.WEBHOOKS), repr(settings.REDIS), f"{settings.PROVIDERS}", repr(settings.PROVIDERS.ART)]
    assert settings.WEBHOOKS.SECRET == "topsecret-a"
    assert "'secret': '********'" in texts[0]
    assert "127.0.0.1:6379" in texts[1]
    assert "topsecret" not in "".join(texts)


def test_a_dotenv_that_nobody_writes_to_holds_nothing_up(project):
    os.mkfifo(project / ".env")
    with pytest.raises(ConfigurationError, match="this is a named pipe, and reading it would wait for a writer"):
        load(project, {**SERVERS, "ENV": "dev"})


@pytest.mark.parametrize(
    "start", [b"\xef\xbb\xbfENV=main\r\n", b"export ENV='main '\n", b"ENV=dev\n ENV = DEV # same\n"]
)
def test_how_a_dotenv_is_written_does_not_matter(project, start):
    (project / ".env").write_bytes(start + b"GENPULSE_API__PORT=9999\n")
    expected = 9999 if b"main" not in start else 8000
    assert load(project, {**SERVERS, "ENV": "dev"}).api.port == expected

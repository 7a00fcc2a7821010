"""Messages name a file in one way: as it is below the project folder, wherever the command was typed."""

import pytest

from genpulse import config
from genpulse.configuration.errors import ConfigurationError
from genpulse.configuration.rules.lint import lint
from genpulse.configuration.sources.project import find_project
from genpulse.environment.errors import EnvironmentProblem


def unknown_key(project):
    (project / "config/config.yaml").write_text("default:\n  api:\n    prot: 1\n")


def broken_yaml(project):
    (project / "config/config.yaml").write_text("default: [\n")


def yaml_in_latin_1(project):
    (project / "config/config.yaml").write_bytes(b"default: {x: \xe9}\n")


def yaml_folder(project):
    (project / "config/config.yaml").unlink()
    (project / "config/config.yaml").mkdir()


def dotenv(text):
    return lambda project: (project / ".env").write_bytes(text)


def dotenv_folder(project):
    (project / ".env").mkdir()


CASES = {
    "config/config.yaml": [unknown_key, broken_yaml, yaml_in_latin_1, yaml_folder],
    ".env": [
        dotenv_folder,
        *map(
            dotenv,
            (b"ENV=prod\n", b"ENV=test\nENV=main\n", b"env=dev\n", b"\xff\n", b"GENPULSE_API__PROT=1\n", b"x\n"),
        ),
    ],
}


@pytest.mark.parametrize("typed_in", [".", "deep/er"])
@pytest.mark.parametrize(("name", "lay"), [(name, lay) for name, cases in CASES.items() for lay in cases])
def test_a_message(tmp_path, name, lay, typed_in):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("default: {}\n")
    (tmp_path / typed_in).mkdir(parents=True, exist_ok=True)
    lay(tmp_path)
    said = list(messages(tmp_path / typed_in))
    assert any(name in message for message in said)
    assert not any(str(tmp_path) in message for message in said), said


def messages(folder):
    for look in (
        lambda: config.load(folder, process={}, require=()),
        lambda: config.find_environment(folder, {}),
        lambda: config.load(folder, process={"ENV": "main"}, require=()),
    ):
        try:
            look()
        except (ConfigurationError, EnvironmentProblem) as error:
            yield str(error)
    try:
        yield from map(str, lint(find_project(folder)))
    except ConfigurationError as error:
        yield str(error)

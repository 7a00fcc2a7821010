"""A project folder to configure, and a way to load it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from genpulse.config import ConfigurationError, load

SERVERS = {
    "GENPULSE_DATABASE_URL": "postgresql://u:p@localhost/d",
    "GENPULSE_REDIS__URL": "redis://:s3cret@localhost/0",
}
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
def project(tmp_path: Path) -> Path:
    """A folder with a config.yaml of its own."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(YAML)
    return tmp_path


@pytest.fixture
def loaded(project: Path) -> Callable[..., object]:
    """Loads the project with these variables and this `.env`."""

    def loading(process=None, dotenv="", **options):
        (project / ".env").write_text(dotenv)
        return load(project, {**SERVERS, **(process or {})}, **options)

    return loading


@pytest.fixture
def refused(loaded: Callable[..., object]) -> Callable[..., str]:
    """Loads the project, which must fail, and returns the message."""

    def loading(process=None, dotenv="", **options):
        with pytest.raises(ConfigurationError) as caught:
            loaded(process, dotenv, **options)
        assert caught.value.exit_code == 78
        assert "s3cret" not in str(caught.value)
        return str(caught.value)

    return loading

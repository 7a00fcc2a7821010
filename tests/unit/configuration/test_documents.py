"""`.env.example` and the reference are what the schema says, and the committed file is in order."""

from pathlib import Path

import pytest

from genpulse import config
from genpulse.configuration.documents.example import example_text
from genpulse.configuration.documents.reference import reference_text
from genpulse.configuration.rules.near_names import unknown_variables
from genpulse.configuration.schema import keys
from genpulse.configuration.sources.variables import dotenv_variables
from genpulse.environment.table import ENVIRONMENTS

ROOT = Path(__file__).parents[3]


def test_the_example_is_made_from_the_schema():
    assert (ROOT / ".env.example").read_text() == example_text(), "genpulse config example --write .env.example"


def test_the_reference_is_made_from_the_schema():
    page = ROOT / "docs/reference/configuration.md"
    assert page.read_text() == reference_text(), f"genpulse config reference --write {page.relative_to(ROOT)}"


def test_every_setting_says_what_it_means():
    assert [known.key for known in keys() if not known.meaning.endswith((".", "…"))] == []


def test_the_example_works_as_it_is(tmp_path):
    (tmp_path / ".env").write_text(example_text())
    assert config.load(tmp_path, {}, require=()).database_url is None


def test_every_commented_line_of_the_example_is_a_setting(tmp_path):
    lines = [line.lstrip("#") for line in example_text().splitlines() if "=" in line and not line.startswith("# ")]
    path = tmp_path / ".env"
    path.write_text("\n".join(line.replace("<NAME>", "ART").replace("<KEY>", "SIZE") for line in lines))
    assert list(unknown_variables(dotenv_variables(path))) == []
    assert len(dotenv_variables(path)) == len(keys()) + 2


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda row: row.name)
def test_what_is_committed_is_in_order_once_secrets_are_there(environment):
    servers = {"GENPULSE_STORAGE__URL": "s3://bucket", "GENPULSE_RELEASE__REQUIRE_TAG": "false"}
    loaded = config.load(ROOT, {**servers, "ENV": environment.name}, require=())
    assert loaded.environment is environment

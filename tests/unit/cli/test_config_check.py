"""`genpulse config check` refuses what a worker refuses."""

import pytest
from click.testing import CliRunner

from genpulse.cli.config import check, explain_command
from genpulse.config import ConfigurationError


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_webhooks_that_would_name_nothing_are_told(tmp_path, monkeypatch, host):
    monkeypatch.chdir(tmp_path)
    environment = {
        "ENV": "test",
        "GENPULSE_DATABASE_URL": "postgresql://u@db.example.com/d",
        "GENPULSE_REDIS__URL": "redis://redis.example.com/0",
        "GENPULSE_API__HOST": host,
    }
    refused = CliRunner().invoke(check, [], env=environment)
    assert isinstance(refused.exception, ConfigurationError)
    words = f"api.host ({host}) is no address: webhooks would name nothing that receivers can reach"
    assert words in str(refused.exception)
    named = environment | {"GENPULSE_API__PUBLIC_URL": "https://media.example.com"}
    assert CliRunner().invoke(check, [], env=named).exit_code == 0


def test_models_and_routes_are_looked_at_whatever_else_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/fal.yaml").write_text("provider: fal\nmodels:\n  - id: a/b\n    prize: 5\n")
    route = {"GENPULSE_ROUTES__FOX__KIND": "Text to image", "GENPULSE_ROUTES__FOX__TRY": "fal/a/b"}
    refused = CliRunner().invoke(check, [], env=route | {"GENPULSE_CATALOGUE__FOLDER": "models"})
    assert isinstance(refused.exception, ConfigurationError)
    assert [fault.key for fault in refused.exception.faults] == [
        "database_url",
        "redis.url",
        "catalogue.folder",
        "routes.fox.kind",
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("GENPULSE_URL", "GENPULSE_URL is not a setting: it names an API to clients and the command line"),
        ("budget.monthy_usd", "Did you mean budget.monthly_usd?"),
        ("budget", "budget is a section and has no value of its own; set budget.daily_usd"),
    ],
)
def test_what_is_no_setting_is_explained_as_everywhere(key, said):
    refused = CliRunner().invoke(explain_command, [key])
    assert said in str(refused.exception)

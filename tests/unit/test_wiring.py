"""From the configuration to the providers."""

from decimal import Decimal

from genpulse.config import load
from genpulse.domain.money.allowance import Allowance
from genpulse.wiring.catalogue import open_catalogue
from genpulse.wiring.services import spending_of

YAML = """
development:
  providers:
    studio:
      adapter: openai_compatible
      base_url: http://gpu-1:8000/v1
      models:
        image: flux-1.5, qwen
        speech: kokoro
"""


def test_models_of_a_server_are_listed_by_what_they_do(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(YAML)
    process = {"GENPULSE_PROVIDERS__STUDIO__MODELS__VIDEO": "wan-2.2", "ENV": "dev"}
    catalogue = open_catalogue(load(folder=tmp_path, process=process, require=()))
    kinds = {name: model.kinds[0] for name, model in catalogue.models() if name.startswith("studio/")}
    assert kinds == {
        "studio/flux-1.5": "text-to-image",
        "studio/qwen": "text-to-image",
        "studio/kokoro": "text-to-speech",
        "studio/wan-2.2": "text-to-video",
    }


def test_budgets_are_those_of_the_settings(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(
        "default: {providers: {fal: {monthly_usd: 9.5, daily_usd: ''}}}\n"
    )
    process = {
        "ENV": "dev",
        "GENPULSE_BUDGET__DAILY_USD": "1.10",
        "GENPULSE_BUDGET__MONTHLY_USD": "20",
        "GENPULSE_BUDGET__WARN_AT": "0.9",
        "GENPULSE_PROVIDERS__VIDU__DAILY_USD": "0",
        "GENPULSE_PROVIDERS__SORA__PAID": "true",
    }
    spending = spending_of(load(folder=tmp_path, process=process, require=()))
    assert (spending.daily_usd, spending.monthly_usd) == (Decimal("1.10"), Decimal(20))
    assert (spending.warn_at, spending.warning_url) == (Decimal("0.9"), None)
    assert spending.providers == {
        "fal": Allowance(monthly_usd=Decimal("9.5")),
        "vidu": Allowance(daily_usd=Decimal(0)),
    }
    assert [(scope.kind.value, scope.name) for scope in spending.budgets] == [
        ("environment", ""),
        ("provider", "fal"),
        ("provider", "vidu"),
    ]

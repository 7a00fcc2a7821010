"""From the configuration to the providers."""

from genpulse.config import load
from genpulse.wiring.catalogue import open_catalogue

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

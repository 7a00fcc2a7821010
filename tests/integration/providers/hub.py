"""A server that speaks like OpenAI, with a model of each kind, and what is asked of it."""

from typing import Any

from genpulse.providers.openai_compatible import provider
from genpulse.providers.openai_compatible.inputs import ImageInput, SpeechInput, VideoInput
from tests.integration.providers.scripted import Scripted, call_of, engine_of, job_of

MODELS = {"flux": "image", "gpt": "background", "kokoro": "speech", "wan": "video"}
INPUTS: dict[str, Any] = {
    "flux": ImageInput(prompt="x"),
    "gpt": ImageInput(prompt="x"),
    "kokoro": SpeechInput(text="x"),
    "wan": VideoInput(prompt="x"),
}


def error(message: str = "no", code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **more}}


def engine(vendor: Scripted, model: str, **options: Any) -> Any:
    return engine_of(provider(vendor.settings(name="hub", models=MODELS, options=options)), model)


async def ordered(vendor: Scripted, model: str, wanted: Any = None) -> Any:
    found = engine(vendor, model)
    order = found.generate if model in {"flux", "kokoro"} else found.submit
    return await order(call_of(wanted or INPUTS[model]))


async def asked(vendor: Scripted, model: str, question: str, job_id: str = "j", **options: Any) -> Any:
    return await getattr(engine(vendor, model, **options), question)(job_of(job_id, INPUTS[model]))

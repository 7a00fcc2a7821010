"""Every adapter, with a fake of its vendor, as checks want it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from genpulse.provider import Provider, ProviderSettings
from genpulse.providers import comfyui, fal, openai_compatible, replicate
from genpulse.testing import FakeServer, Subject, media
from tests.fakes.comfyui import FakeComfyUI
from tests.fakes.fal import FakeFal
from tests.fakes.openai_compatible import SECRET, FakeOpenAI
from tests.fakes.replicate import FakeReplicate

WORKFLOW = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64}, "_meta": {"title": "INPUT_width"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "x.png"}, "_meta": {"title": "INPUT_picture"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
PLAIN = {name: node for name, node in WORKFLOW.items() if name != "2"}
MODELS = {"flux": "image", "gpt": "background", "kokoro": "speech", "wan": "video"}
"""What the models of the server that speaks like OpenAI do."""
_ENCODED = tuple(situation.name.lower() for situation in media.IN_THE_ANSWER)
AT_FILES = {"allowed_hosts": "localhost"}
"""Options that let results be fetched from where fakes serve files."""


def _lacking(reason: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, reason)


COMFYUI_LACKS = {
    **_lacking("it has no accounts", "bad_key", "no_credit", "locked", "busy", "busy_silently"),
    **_lacking(
        "it has no status words: a prompt is in the queue or in the history", "odd_status", "spelled_status"
    ),
    **_lacking("the id of a prompt is ours", "odd_job_id", "empty_job_id"),
    **_lacking(
        "its files are its own, asked for by their names",
        *("inside_output", "foreign_output", "own_api_output", "fresh_output", "signed_output"),
    ),
    **_lacking("its files are in no answer", *_ENCODED),
    "error_result": "its history holds what was made, and no errors of its own",
    **_lacking("it judges nothing", "moderated", "flagged_output"),
    "numbers_output": "its texts are texts",
    "notices": "it tells nothing",
}
_NO_JOB = _lacking(
    "it answers at once: there is no job",
    *("slow", "odd_status", "spelled_status", "odd_job_id", "empty_job_id", "job_failed", "notices"),
    *("poll", "poll_down", "poll_dropped", "collect", "cancel", "fresh_output"),
)
_NO_ADDRESS = _lacking(
    "the output is in the answer",
    *("short_lived_output", "fresh_output", "gone_output", "broken_output", "download"),
    *("signed_output", "signed_redirect", "inside_output", "foreign_output", "redirected_output"),
    *("own_api_output", "own_api_redirect", "percent_output"),
)
_A_FILE = _lacking(
    "its result is a file", *_ENCODED, "partial_output", "error_result", "odd_shapes", "flagged_output"
)
_PICTURES = _lacking("it makes pictures, sounds and films, and no numbers", "numbers_output")
OPENAI_LACKS: Mapping[str, Mapping[str, str]] = {
    "flux": {**_PICTURES, **_NO_JOB},
    "kokoro": {
        **_PICTURES,
        **_NO_JOB,
        **_NO_ADDRESS,
        **_A_FILE,
        **_lacking("the answer is no JSON", "garbled_answer", "blank_answer"),
    },
    "gpt": {**_PICTURES, **_NO_ADDRESS, "empty_output": "the output is in the answer"},
    "wan": {
        **_PICTURES,
        **_A_FILE,
        **_lacking(
            "its address is the server's own",
            *("inside_output", "foreign_output", "own_api_output", "fresh_output", "signed_output"),
        ),
        "notices": "videos tell nothing",
        "no_output": "a video that is completed has content",
        "collect": "its result is a file",
    },
}
_OPENAI_INPUTS = {
    "kokoro": {"text": "a fox"},
    "flux": {"prompt": "x"},
    "gpt": {"prompt": "x"},
    "wan": {"prompt": "x"},
}
_OPENAI_KINDS = {"flux": "text-to-image", "wan": "text-to-video"}


def of_fal(fake: FakeFal) -> Subject:
    """fal, which serves its files from another host."""
    options = {"jwks_url": f"{fake.base_url}/.well-known/jwks.json", **AT_FILES}
    return Subject(fal.provider, fake, "fal/fal-ai/flux/schnell", {"prompt": "a fox"}, options=options)


def of_replicate(fake: FakeReplicate) -> Subject:
    """Replicate, which serves its files from another host."""
    model = "replicate/black-forest-labs/flux-schnell"
    return Subject(replicate.provider, fake, model, {"prompt": "a fox"}, options=AT_FILES)


def of_comfyui(fake: FakeComfyUI, **changes: object) -> Subject:
    """ComfyUI with whatever workflow the caller brings."""
    wanted = {"workflow": PLAIN, **changes}
    return Subject(
        comfyui.provider, fake, "comfyui/workflow", wanted, key=None, options=AT_FILES, lacks=COMFYUI_LACKS
    )


def build_openai_compatible(settings: ProviderSettings) -> Provider:
    """A server that speaks like OpenAI and has all `MODELS`."""
    options = {"webhook_secret": SECRET, "paid": True, **settings.options}
    return openai_compatible.provider(
        ProviderSettings(settings.api_key, settings.base_url, options, settings.http, MODELS, "my_server")
    )


def of_openai_compatible(fake: FakeOpenAI, model: str, **wanted: object) -> Subject:
    """One of its models."""
    fake.by_url = model == "flux"
    return Subject(
        build_openai_compatible,
        fake,
        f"my_server/{model}",
        {**_OPENAI_INPUTS[model], **wanted},
        _OPENAI_KINDS.get(model),
        options=AT_FILES,
        lacks=OPENAI_LACKS[model],
    )


@dataclass(frozen=True)
class Adapter:
    """How an adapter and a fake of its vendor are made."""

    fake: Callable[[], FakeServer]
    subject: Callable[[FakeServer], Subject]


ADAPTERS: Mapping[str, Adapter] = {
    "fal": Adapter(FakeFal, of_fal),
    "replicate": Adapter(FakeReplicate, of_replicate),
    "comfyui": Adapter(FakeComfyUI, of_comfyui),
    **{
        f"openai_compatible {what}": Adapter(
            FakeOpenAI, lambda fake, model=model: of_openai_compatible(fake, model)
        )
        for model, what in MODELS.items()
    },
}

"""Seven local models that need no key, no download and no GPU, and are honest about what they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from genpulse.provider import AnyModel, Engine, Model, ModelBuilder, ModelEntry, Provider, ProviderSettings
from genpulse.providers.sandbox.noop import Noop, NoopInput
from genpulse.providers.sandbox.pictures.image import Image, ImageInput
from genpulse.providers.sandbox.pictures.restyle import Restyle, RestyleInput
from genpulse.providers.sandbox.sound.music import Music, MusicInput
from genpulse.providers.sandbox.sound.speech import Speech, SpeechInput
from genpulse.providers.sandbox.video.animate import Animate, AnimateInput
from genpulse.providers.sandbox.video.video import Video, VideoInput

MODELS = Path(__file__).with_name("models.yaml")
_WORK: Mapping[str, tuple[type[Engine[Any]], type[BaseModel], str]] = {
    "image": (Image, ImageInput, "text-to-image"),
    "video": (Video, VideoInput, "text-to-video"),
    "restyle": (Restyle, RestyleInput, "image-to-image"),
    "animate": (Animate, AnimateInput, "image-to-video"),
    "speech": (Speech, SpeechInput, "text-to-speech"),
    "music": (Music, MusicInput, "text-to-music"),
    "noop": (Noop, NoopInput, "noop"),
}


def provider(settings: ProviderSettings) -> Provider:
    """The entry point. There is nothing to configure; heavy libraries are loaded at the first use."""
    del settings
    builder = ModelBuilder(_model, {input_.__name__: input_ for _, input_, _ in _WORK.values()})
    return Provider("sandbox", builder.models_of(MODELS), title="Sandbox", builder=builder)


def _model(entry: ModelEntry) -> AnyModel:
    if entry.does not in _WORK:
        raise ValueError(f"it is to do {entry.does!r}; the sandbox can do {', '.join(_WORK)}")
    engine, input_, kind = _WORK[entry.does]
    return Model(entry.id, (kind,), input_, engine())

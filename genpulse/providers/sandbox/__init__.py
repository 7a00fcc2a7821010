"""Seven local models that need no key, no download and no GPU, and are honest about what they are."""

from genpulse.provider import Model, Provider, ProviderSettings
from genpulse.providers.sandbox.noop import Noop, NoopInput
from genpulse.providers.sandbox.pictures.image import HONEST, Image, ImageInput
from genpulse.providers.sandbox.pictures.restyle import HONEST as HONEST_ABOUT_STROKES
from genpulse.providers.sandbox.pictures.restyle import Restyle, RestyleInput
from genpulse.providers.sandbox.sound.music import Music, MusicInput
from genpulse.providers.sandbox.sound.speech import Speech, SpeechInput
from genpulse.providers.sandbox.video.animate import HONEST as HONEST_ABOUT_CAMERA
from genpulse.providers.sandbox.video.animate import Animate, AnimateInput
from genpulse.providers.sandbox.video.video import Video, VideoInput


def provider(settings: ProviderSettings) -> Provider:
    """The entry point. There is nothing to configure; heavy libraries are loaded at the first use."""
    del settings
    models = (
        Model("image", ("text-to-image",), ImageInput, Image(), "Sandbox image", HONEST),
        Model("video", ("text-to-video",), VideoInput, Video(), "Sandbox video", HONEST),
        Model("restyle", ("image-to-image",), RestyleInput, Restyle(), "Sandbox restyle", HONEST_ABOUT_STROKES),
        Model("animate", ("image-to-video",), AnimateInput, Animate(), "Sandbox animate", HONEST_ABOUT_CAMERA),
        Model(
            "speech",
            ("text-to-speech",),
            SpeechInput,
            Speech(),
            "Sandbox speech",
            "A small neural voice (hibari, distilled from Kokoro-82M) that speaks English on the processor.",
        ),
        Model(
            "music",
            ("text-to-music",),
            MusicInput,
            Music(),
            "Sandbox music",
            "Synthesised by rules from the words and the seed, not by a neural model.",
        ),
        Model("noop", ("noop",), NoopInput, Noop(), "Sandbox no-op", "Does nothing, for tests and measurements."),
    )
    return Provider("sandbox", models, title="Sandbox")

"""Speech by hibari, a small text-to-speech model whose weights are inside its package."""

import os
import threading
from typing import TYPE_CHECKING

from pydantic import Field

from genpulse.provider import Call, Input, InvalidInput, Local, Report, Result
from genpulse.providers.sandbox.engine_work import worked
from genpulse.providers.sandbox.seed import made_with, seed_of

if TYPE_CHECKING:
    from hibari import Hibari


class SpeechInput(Input):
    """What to say, and how."""

    text: str = Field(
        min_length=1,
        max_length=2000,
        title="What to say",
        description="English.",
        examples=["GenPulse never loses a task."],
    )
    speed: float = Field(1.0, ge=0.5, le=2.0, title="Speed", description="1.0 is an unhurried pace.")
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the text.")


class Speech(Local[SpeechInput]):
    """Speaks one sentence after the other. The model is loaded once, at the first use."""

    def __init__(self) -> None:
        self._voice: Hibari | None = None
        self._one_at_a_time = threading.Lock()

    async def run(self, call: Call[SpeechInput], report: Report) -> Result:
        """A WAV file of 24 kHz, one channel."""
        input_ = call.input
        seed = seed_of(input_.text) if input_.seed is None else input_.seed
        return made_with(seed, "audio", await worked(call, lambda: self._speak(input_, seed, report)))

    def _speak(self, input_: SpeechInput, seed: int, report: Report) -> bytes:
        import numpy as np

        from genpulse.providers.sandbox.sound.wav import wav_bytes

        report(0.0, "loading the voice")
        with self._one_at_a_time:
            voice = self._loaded()
            sentences = voice.phonemize(input_.text)
        parts = []
        for number, sentence in enumerate(sentences, 1):
            with self._one_at_a_time:
                parts.append(voice.from_phonemes(sentence, input_.speed, seed=[seed, number]))
            report(number / len(sentences), f"sentence {number} of {len(sentences)}")
        spoken = np.concatenate([np.zeros(0, np.float32), *parts])
        if not spoken.size:
            raise InvalidInput("There is nothing in the text that can be spoken. Send English words.")
        return wav_bytes(spoken, voice.sample_rate)

    def _loaded(self) -> "Hibari":
        if self._voice is None:
            # ONNX Runtime 1.29 and newer reports its use to its maker unless told otherwise before it is imported.
            os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
            from hibari import Hibari

            self._voice = Hibari(voice="heart")
        return self._voice

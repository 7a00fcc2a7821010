"""Music, synthesised: chords, an arpeggio, a bass and a soft beat, all decided by the prompt and the seed."""

from pydantic import Field

from genpulse.provider import Call, Input, Local, Report, Result
from genpulse.providers.sandbox.engine_work import worked
from genpulse.providers.sandbox.seed import made_with, seed_of

RATE = 44_100


class MusicInput(Input):
    """What it should feel like."""

    prompt: str = Field(
        min_length=1,
        max_length=1000,
        title="What it should feel like",
        description="Words such as calm, happy, sad, dark, fast or slow change tempo, key and voices.",
        examples=["a calm morning by the sea"],
    )
    duration_s: float = Field(12, ge=2, le=60, title="Length in seconds")
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the prompt.")


class Music(Local[MusicInput]):
    """An algorithm, not a neural model; it says so in the catalogue."""

    async def run(self, call: Call[MusicInput], report: Report) -> Result:
        """A WAV file of 44.1 kHz, two channels."""
        input_ = call.input
        seed = seed_of(input_.prompt) if input_.seed is None else input_.seed
        return made_with(seed, "audio", await worked(call, lambda: _play(input_, seed, report)))


def _play(input_: MusicInput, seed: int, report: Report) -> bytes:
    from genpulse.providers.sandbox.sound.instruments import Band
    from genpulse.providers.sandbox.sound.wav import wav_bytes

    band = Band(input_.prompt, seed, input_.duration_s, RATE)
    return wav_bytes(band.play(report), RATE)

"""Another picture in the manner of a painter, by rules."""

from pathlib import Path

from pydantic import Field

from genpulse.provider import Call, ImageRef, Input, Local, Report, Result
from genpulse.providers.sandbox.engine_work import worked
from genpulse.providers.sandbox.seed import made_with, seed_of

HONEST = "Procedural: your picture, painted anew by rules from its pixels and the seed, not by a neural model."


class RestyleInput(Input):
    """What to paint anew."""

    image: ImageRef = Field(title="Picture", examples=["task:0197a3a6-0000-7000-8000-00000000000f"])
    prompt: str = Field(
        "",
        max_length=4000,
        title="In which colours",
        description="Words for times of day, seasons and weather tint the picture.",
        examples=["at dusk"],
    )
    strength: float = Field(
        0.7, ge=0, le=1, title="Strength", description="0 keeps the picture, 1 paints it in broad strokes."
    )
    longest: int = Field(1024, ge=64, le=2048, title="Longer side in pixels, at most")
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the words.")


class Restyle(Local[RestyleInput]):
    """The same picture, words and seed give the same bytes."""

    async def run(self, call: Call[RestyleInput], report: Report) -> Result:
        """A PNG file."""
        file = await call.attachments.fetch(call.input.image)
        input_ = call.input
        seed = seed_of(input_.prompt) if input_.seed is None else input_.seed
        return made_with(seed, "image", await worked(call, lambda: _paint(file.path, input_, seed, report)))


def _paint(path: Path, input_: RestyleInput, seed: int, report: Report) -> bytes:
    from genpulse.providers.sandbox.pictures.painted_file import painted_file

    return painted_file(path, input_.prompt, seed, input_.strength, input_.longest, HONEST, report)

"""A picture, painted by rules."""

import io
from typing import TYPE_CHECKING

from pydantic import Field

from genpulse.provider import Call, Input, Local, Report, Result
from genpulse.providers.sandbox.engine_work import worked
from genpulse.providers.sandbox.seed import made_with, seed_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HONEST = "Procedural: painted by rules from the words and the seed, not by a neural model."


class ImageInput(Input):
    """What to paint."""

    prompt: str = Field(
        min_length=1,
        max_length=4000,
        title="What to paint",
        description="Places, times of day, weather, seasons and some animals are understood.",
        examples=["a red fox at dawn"],
    )
    width: int = Field(768, ge=64, le=2048, title="Width in pixels")
    height: int = Field(768, ge=64, le=2048, title="Height in pixels")
    steps: int = Field(
        20,
        ge=1,
        le=50,
        title="Steps",
        description="In how many steps, at most, progress is told. The picture is the same.",
    )
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the prompt.")


class Image(Local[ImageInput]):
    """The same prompt and seed give the same bytes."""

    async def run(self, call: Call[ImageInput], report: Report) -> Result:
        """A PNG file."""
        input_ = call.input
        seed = seed_of(input_.prompt) if input_.seed is None else input_.seed
        return made_with(seed, "image", await worked(call, lambda: _paint(input_, seed, report)))


def _paint(input_: ImageInput, seed: int, report: Report) -> bytes:
    from genpulse.providers.sandbox.pictures.painting import Painting

    steps = _Steps(report, input_.steps)
    steps.reach(0.0)
    painting = Painting(
        input_.prompt, seed, input_.width, input_.height, report=lambda share: steps.reach(0.55 * share)
    )
    pixels = painting.frame(report=lambda share: steps.reach(0.55 + 0.35 * share))
    steps.reach(0.9)
    content = _png(pixels)
    steps.reach(1.0)
    return content


def _png(pixels: "NDArray[np.uint8]") -> bytes:
    from PIL import Image as Picture
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Software", "GenPulse sandbox/image")
    notes.add_text("Comment", HONEST)
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "PNG", pnginfo=notes, compress_level=3)
    return file.getvalue()


class _Steps:
    """Tells each step once."""

    def __init__(self, report: Report, count: int) -> None:
        self._report = report
        self._count = count
        self._told = -1

    def reach(self, share: float) -> None:
        """So much of the work is done, from 0 to 1."""
        step = int(share * self._count + 1e-9)
        if step > self._told:
            self._told = step
            self._report(step / self._count, f"step {step} of {self._count}")

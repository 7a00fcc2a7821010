"""A picture, painted by rules."""

import io

from pydantic import Field

from genpulse.provider import Call, Input, Local, Output, Report, Result
from genpulse.providers.sandbox.seed import seed_of
from genpulse.providers.sandbox.workbench import Workbench

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
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the prompt.")


class Image(Local[ImageInput]):
    """The same prompt and seed give the same bytes."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench

    async def run(self, call: Call[ImageInput], report: Report) -> Result:
        """A PNG file."""
        return Result((Output(await self._workbench.run(lambda: _paint(call.input, report))),))


def _paint(wanted: ImageInput, report: Report) -> bytes:
    from PIL import Image as Picture
    from PIL.PngImagePlugin import PngInfo

    from genpulse.providers.sandbox.painting import Painting

    report(0.02, "choosing colours")
    seed = seed_of(wanted.prompt) if wanted.seed is None else wanted.seed
    painting = Painting(wanted.prompt, seed, wanted.width, wanted.height)
    pixels = painting.frame(0.35, shown=lambda fraction: report(0.1 + 0.8 * fraction, "painting"))
    report(0.92, "drying")
    notes = PngInfo()
    notes.add_text("Software", "GenPulse sandbox/image")
    notes.add_text("Comment", HONEST)
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "PNG", pnginfo=notes, compress_level=6)
    return file.getvalue()

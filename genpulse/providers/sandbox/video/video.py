"""The painting, moving."""

import tempfile
from pathlib import Path

from pydantic import Field, field_validator

from genpulse.provider import Call, Input, Local, Report, Result
from genpulse.providers.sandbox.engine_work import worked
from genpulse.providers.sandbox.seed import made_with, seed_of

_SCENE = 0.1
"""The share of the work that is done before the first frame."""


class VideoInput(Input):
    """What to film."""

    prompt: str = Field(
        min_length=1,
        max_length=4000,
        title="What to film",
        description="Places, times of day, weather, seasons and some animals are understood.",
        examples=["a lighthouse in a storm"],
    )
    width: int = Field(512, ge=64, le=1280, title="Width in pixels", description="An even number.")
    height: int = Field(288, ge=64, le=1280, title="Height in pixels", description="An even number.")
    duration_s: float = Field(3, ge=1, le=10, title="Length in seconds")
    fps: int = Field(24, ge=8, le=30, title="Frames a second")
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the prompt.")

    @field_validator("width", "height")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be an even number: the film's colours are stored two pixels wide and high")
        return value


class Video(Local[VideoInput]):
    """The same prompt and seed give the same bytes."""

    async def run(self, call: Call[VideoInput], report: Report) -> Result:
        """An MP4 file with H.264, or WebM with VP9 where FFmpeg was built without it."""
        input_ = call.input
        seed = seed_of(input_.prompt) if input_.seed is None else input_.seed
        return made_with(seed, "video", await worked(call, lambda: _film(input_, seed, report)))


def _film(input_: VideoInput, seed: int, report: Report) -> bytes:
    from genpulse.providers.sandbox.pictures.painting import Painting
    from genpulse.providers.sandbox.video.encoder import Film, best

    report(0.0, "building the scene")
    painting = Painting(
        input_.prompt,
        seed,
        input_.width,
        input_.height,
        moving=True,
        report=lambda share: report(_SCENE * share, "building the scene"),
    )
    frames = max(round(input_.duration_s * input_.fps), 2)
    written = best()
    with tempfile.TemporaryDirectory(prefix="genpulse-film-") as folder:
        path = Path(folder) / f"film.{written.container}"
        with Film(path, input_.width, input_.height, input_.fps, written=written) as film:
            for number in range(frames):
                film.add(painting.frame(number / (frames - 1)))
                share = (number + 1) / (frames + 1)
                report(_SCENE + (1 - _SCENE) * share, f"frame {number + 1} of {frames}")
        return path.read_bytes()

"""A picture that moves: a camera glides over it."""

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from genpulse.provider import Call, ImageRef, Input, Local, Report, Result
from genpulse.providers.sandbox.engine_work import worked
from genpulse.providers.sandbox.seed import made_with, seed_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HONEST = "Procedural: a camera that glides over your picture by rules, not a neural model."
_CLOSEST = 0.72
"""Which share of the picture the camera sees where it is closest."""


class AnimateInput(Input):
    """What to move."""

    image: ImageRef = Field(title="Picture", examples=["task:0197a3a6-0000-7000-8000-00000000000f"])
    prompt: str = Field(
        "", max_length=4000, title="How it moves", description="Without a seed, the words choose the camera's way."
    )
    longest: int = Field(512, ge=64, le=1280, multiple_of=2, title="Longer side in pixels, at most")
    duration_s: float = Field(3, ge=1, le=10, title="Length in seconds")
    fps: int = Field(24, ge=8, le=30, title="Frames a second")
    seed: int | None = Field(None, ge=0, le=2**32 - 1, title="Seed", description="Left out: made from the words.")


class Animate(Local[AnimateInput]):
    """The same picture, words and seed give the same bytes."""

    async def run(self, call: Call[AnimateInput], report: Report) -> Result:
        """An MP4 file with H.264, or WebM with VP9 where FFmpeg was built without it."""
        file = await call.attachments.fetch(call.input.image)
        input_ = call.input
        seed = seed_of(input_.prompt) if input_.seed is None else input_.seed
        return made_with(seed, "video", await worked(call, lambda: _film(file.path, input_, seed, report)))


def _film(path: Path, input_: AnimateInput, seed: int, report: Report) -> bytes:
    from genpulse.providers.sandbox.pictures.source import read_picture
    from genpulse.providers.sandbox.video.encoder import Film, best

    report(0.0, "reading the picture")
    colours = read_picture(path, input_.longest, multiple=2)
    height, width, _ = colours.shape
    view = _camera(colours, seed)
    frames = max(round(input_.duration_s * input_.fps), 2)
    written = best()
    with tempfile.TemporaryDirectory(prefix="genpulse-film-") as folder:
        target = Path(folder) / f"film.{written.container}"
        with Film(target, width, height, input_.fps, written=written) as film:
            for number in range(frames):
                film.add(view(number / (frames - 1)))
                report((number + 1) / (frames + 1), f"frame {number + 1} of {frames}")
        return target.read_bytes()


def _camera(colours: "NDArray[np.float32]", seed: int) -> Callable[[float], "NDArray[np.uint8]"]:
    """What the camera sees at a moment from 0 to 1, as it comes closer to a point of the picture or goes back."""
    import numpy as np
    from PIL import Image as Picture

    from genpulse.providers.sandbox.pictures.noise import Dice

    chance = Dice(seed)("camera")
    across, down, comes_closer = chance.random(), chance.random(), chance.random() < 0.5
    whole = Picture.fromarray((colours * np.float32(255) + np.float32(0.5)).astype(np.uint8))

    def view(moment: float) -> "NDArray[np.uint8]":
        eased = (1 - math.cos(math.pi * moment)) / 2
        share = 1 - (1 - _CLOSEST) * (eased if comes_closer else 1 - eased)
        left, top = whole.width * (1 - share) * across, whole.height * (1 - share) * down
        box = (left, top, left + whole.width * share, top + whole.height * share)
        return np.asarray(whole.resize(whole.size, Picture.Resampling.BICUBIC, box=box), np.uint8)

    return view

"""The picture that an input names, as pixels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError

from genpulse.provider import InvalidInput

MOST_PIXELS = 40 << 20
"""How many pixels a picture may have that is read here."""

Colours = NDArray[np.float32]
"""Height, width, and red, green and blue from 0 to 1."""


def read_picture(path: Path, longest: int, multiple: int = 1) -> Colours:
    """The first picture of a file, turned as its camera was held, its longer side `longest` pixels at most.

    What is transparent is white. Both sides are made multiples of `multiple`. Raises `InvalidInput`.
    """
    try:
        with Picture.open(path) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InvalidInput(
                    f"The picture has {opened.width} x {opened.height} pixels, and {MOST_PIXELS:,} are allowed."
                )
            whole = ImageOps.exif_transpose(opened).convert("RGBA")
    except UnidentifiedImageError as error:
        raise InvalidInput("The file of the input is no picture that can be read.") from error
    except (OSError, ValueError, SyntaxError, Picture.DecompressionBombError) as error:
        raise InvalidInput(f"The picture of the input cannot be read: {error}") from error
    ground = Picture.new("RGBA", whole.size, "white")
    ground.alpha_composite(whole)
    size = _size(whole.width, whole.height, longest, multiple)
    return np.asarray(ground.convert("RGB").resize(size, Picture.Resampling.LANCZOS), np.float32) / np.float32(255)


def _size(width: int, height: int, longest: int, multiple: int) -> tuple[int, int]:
    share = min(longest / max(width, height), 1.0)
    return _rounded(width * share, multiple), _rounded(height * share, multiple)


def _rounded(length: float, multiple: int) -> int:
    return max(round(length / multiple), 16 // multiple) * multiple

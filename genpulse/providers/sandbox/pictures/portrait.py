"""A figure, drawn and lit, ready to be put into a picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from genpulse.providers.sandbox.pictures.canvas import Picture
from genpulse.providers.sandbox.pictures.figures import GLOWING, Part, Point
from genpulse.providers.sandbox.pictures.noise import Field, step
from genpulse.providers.sandbox.pictures.palette import Palette, mix, rgb

_FINE = 4
_STEPS = 12
_MARGIN = 12


def curve(points: Sequence[Point]) -> NDArray[np.float32]:
    """A closed curve through all points: smooth, but for its corners."""
    places = np.array([point[:2] for point in points], dtype=np.float32)
    bend = np.array([0.0 if len(point) == 3 and point[2] else 0.5 for point in points], np.float32)[:, None]
    slopes = (np.roll(places, -1, 0) - np.roll(places, 1, 0)) * bend
    share = np.linspace(0, 1, _STEPS, endpoint=False, dtype=np.float32)[:, None, None]
    ends, end_slopes = np.roll(places, -1, 0), np.roll(slopes, -1, 0)
    run = (
        (2 * share**3 - 3 * share**2 + 1) * places
        + (share**3 - 2 * share**2 + share) * slopes
        + (3 * share**2 - 2 * share**3) * ends
        + (share**3 - share**2) * end_slopes
    )
    return np.asarray(run.transpose(1, 0, 2).reshape(-1, 2), np.float32)


class Portrait:
    """`size` is the side of its box in pixels. `towards` is -1, 0 or 1: the light is left, behind, right."""

    def __init__(
        self, palette: Palette, parts: Sequence[Part], size: float, *, flip: bool = False, towards: float = 0.0
    ) -> None:
        self._side = max(int(size) + 2 * _MARGIN + 2, 8)
        colour, cover = self._drawn(palette, parts, size, flip=flip)
        _light(palette, colour, cover, towards, size)
        self._paint = np.concatenate((colour * cover[..., None], cover[..., None]), -1).astype(np.float32)

    def add(self, picture: Picture, left: float, top: float) -> None:
        """Paint it over the picture, its box at a place between the pixels too."""
        x, y = int(np.floor(left)) - _MARGIN, int(np.floor(top)) - _MARGIN
        paint = _between(self._paint, left - np.floor(left), top - np.floor(top))
        height, width = picture.shape[:2]
        above, before = max(-y, 0), max(-x, 0)
        below, after = min(height - y, paint.shape[0]), min(width - x, paint.shape[1])
        if above >= below or before >= after:
            return
        seen = paint[above:below, before:after]
        place = picture[y + above : y + below, x + before : x + after]
        place *= 1 - seen[..., 3:]
        place += seen[..., :3]

    def _drawn(self, palette: Palette, parts: Sequence[Part], size: float, *, flip: bool) -> tuple[Picture, Field]:
        colour = np.zeros((self._side, self._side, 3), np.float32)
        cover = np.zeros((self._side, self._side), np.float32)
        shade = mix(rgb(palette.near), rgb(palette.far), 0.2)
        for part in parts:
            mask, top, left = self._mask(part, size, flip=flip)
            place = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
            tone = rgb(part.colour)
            tone = tone if part.colour in GLOWING else mix(tone, shade, palette.dim)
            both = mask + cover[place] * (1 - mask)
            colour[place] += (tone - colour[place]) * (mask / np.maximum(both, 1e-6))[..., None]
            cover[place] = both
        return colour, cover

    def _mask(self, part: Part, size: float, *, flip: bool) -> tuple[Field, int, int]:
        """Where the part is, and the row and column at which that begins."""
        points = curve(part.points)
        if flip:
            points = np.array([1.0, 0.0], np.float32) + points * np.array([-1.0, 1.0], np.float32)
        places = points * np.float32(size) + _MARGIN
        left, top = np.clip(np.floor(places.min(0)).astype(int) - 1, 0, self._side - 1).tolist()
        right, low = np.clip(np.ceil(places.max(0)).astype(int) + 1, 1, self._side).tolist()
        wide, high = max(right - left, 1), max(low - top, 1)
        canvas = Image.new("L", (wide * _FINE, high * _FINE))
        corners = [((float(x) - left) * _FINE, (float(y) - top) * _FINE) for x, y in places]
        ImageDraw.Draw(canvas).polygon(corners, fill=255)
        small = canvas.resize((wide, high), Image.Resampling.BOX)
        return np.asarray(np.asarray(small, np.float32) / 255, np.float32), top, left


def _light(palette: Palette, colour: Picture, cover: Field, towards: float, size: float) -> None:
    """Brighter on the side of the light and along that edge, darker at the feet."""
    side = colour.shape[0]
    rows = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, side, dtype=np.float32)[None, :]
    ambient = 0.97 + 0.1 * towards * columns - 0.2 * rows**2
    colour *= ambient[..., None]
    light = rgb(palette.light)
    for edge, strength in ((size * 0.008, 0.42), (min(size * 0.03, 9), 0.16)):
        reach = max(round(edge), 1)
        away = np.roll(cover, (reach, -int(towards) * reach), (0, 1))
        rim = np.clip(cover - away, 0, 1) * step(1.0, 0.35, rows)
        colour += (light - colour) * (rim * strength)[..., None]


def _between(paint: NDArray[np.float32], across: float, down: float) -> NDArray[np.float32]:
    """Moved right and down by less than a pixel."""
    moved = paint + (np.roll(paint, 1, 1) - paint) * np.float32(across)
    return np.asarray(moved + (np.roll(moved, 1, 0) - moved) * np.float32(down), np.float32)

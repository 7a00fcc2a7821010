"""Trees, grass and houses as shapes against the light."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from genpulse.providers.sandbox.pictures.noise import Field

_FINE = 2
Outline = list[tuple[float, float]]


class Cutter:
    """Cuts shapes out of a strip of a picture; their edges are soft."""

    def __init__(self, height: int, width: int) -> None:
        self._size = (width, height)
        self._canvas = Image.new("L", (width * _FINE, height * _FINE))
        self._draw = ImageDraw.Draw(self._canvas)

    def polygon(self, outline: Outline, fill: int = 255) -> None:
        """A closed shape, its corners in pixels."""
        self._draw.polygon([(x * _FINE, y * _FINE) for x, y in outline], fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: int = 255) -> None:
        """A round shape."""
        box = [(x - radius) * _FINE, (y - radius) * _FINE, (x + radius) * _FINE, (y + radius) * _FINE]
        self._draw.ellipse(box, fill=fill)

    def mask(self) -> Field:
        """From 0 to 1."""
        small = self._canvas.resize(self._size, Image.Resampling.BOX)
        return np.asarray(np.asarray(small, np.float32) / 255, np.float32)


def spots(random: np.random.Generator, wide: int, gap: float) -> Iterator[float]:
    """Places along a line, `gap` pixels apart on the average."""
    x = -gap
    while x < wide + gap:
        x += gap * float(random.uniform(0.35, 1.65))
        yield x


def conifer(random: np.random.Generator, x: float, foot: float, tall: float) -> Outline:
    """Branches in tiers, each wider than the one above."""
    tiers = 6 + int(random.integers(4))
    half = tall * float(random.uniform(0.17, 0.24))
    left: Outline = []
    right: Outline = []
    for tier in range(1, tiers + 1):
        share = tier / tiers
        y = foot - tall * (1 - share) - 0.03 * tall
        reach = half * share**0.9
        for side, points in ((-1, left), (1, right)):
            out = reach * float(random.uniform(0.8, 1.12))
            droop = tall * 0.025 * float(random.uniform(0.4, 1.4))
            points.append((x + side * out, y + droop))
            points.append((x + side * out * 0.55, y))
    trunk = half * 0.1
    return [(x, foot - tall * 1.06), *right, (x + trunk, foot + 2), (x - trunk, foot + 2), *reversed(left)]


def grass(random: np.random.Generator, x: float, foot: float, tall: float) -> Outline:
    """One blade."""
    lean = tall * float(random.uniform(-0.45, 0.45))
    half = max(tall * 0.045, 0.5)
    bend = (x + lean * 0.35, foot - tall * 0.6)
    return [(x - half, foot + 2), (bend[0] - half * 0.7, bend[1]), (x + lean, foot - tall),
            (bend[0] + half * 0.7, bend[1]), (x + half, foot + 2)]  # fmt: skip

"""Under water: light from above, things that drift, the ground far below."""

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Layer, Picture, Stage
from genpulse.providers.sandbox.pictures.landscape.trees import Cutter, spots
from genpulse.providers.sandbox.pictures.noise import Field, field, line, step
from genpulse.providers.sandbox.pictures.palette import gradient, mix, rgb


class Deep:
    """In place of a sky."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        palette = stage.palette
        share = np.clip(stage.down[:, 0] / stage.height, 0, 1) ** 0.8
        self._column = gradient((palette.top, palette.middle, palette.horizon), share)
        self._murk = field(stage.dice, "murk", stage.height, stage.width, 3, 4, stretch=1.5) - 0.5
        self._bubbles = self._make_bubbles()

    def light(self, _moment: float) -> tuple[float, float]:
        """Above the surface, in pixels."""
        return self._stage.light_x, -0.15 * self._stage.unit

    def paint(self, moment: float) -> Picture:
        """A new picture: rays that sway, bubbles that rise."""
        stage = self._stage
        picture = np.repeat(self._column[:, None, :], stage.width, 1)
        picture *= (1 + 0.12 * self._murk)[..., None]
        x, y = self.light(moment)
        angle = np.arctan2(stage.across - x, stage.down - y + 0.2 * stage.unit)
        sway = 2 * np.pi * moment
        beams = np.zeros_like(angle)
        for number, (often, way) in enumerate(((11.0, 1.0), (23.0, -2.0), (41.0, 1.0))):
            beams += (0.5 + 0.5 * np.sin(angle * often + way * sway * 0.35 + 2.1 * number)) / (1 + number)
        depth = stage.down / stage.height
        fade = np.exp(-1.9 * depth) * np.exp(-((angle / 0.95) ** 2))
        light = rgb(stage.palette.light)
        picture += (light - picture) * np.clip(step(0.55, 1.75, beams) * fade * 0.62, 0, 1)[..., None]
        surface = np.exp(-np.hypot(stage.across - x, (stage.down - y) * 1.4) / (0.42 * stage.unit))
        picture += (light - picture) * (0.75 * surface)[..., None]
        self._add_bubbles(picture, moment)
        return picture

    def ground(self) -> tuple[Layer, ...]:
        """Rocks and weed at the bottom, two rows of them."""
        return tuple(self._bed(number, depth) for number, depth in enumerate((0.3, 1.0)))

    def _bed(self, number: int, depth: float) -> Layer:
        stage = self._stage
        shape = line(stage.dice, "bed", number, stage.places * (2.4 - depth) + 3 * number, 6, 0.5)
        top = stage.height * (0.93 + 0.045 * depth) - shape * stage.unit * (0.15 - 0.04 * depth)
        start = max(int(top.min() - stage.unit * 0.2), 0)
        cutter = Cutter(stage.height - start, stage.wide)
        random = stage.dice("weed", number)
        for x in spots(random, stage.wide, stage.unit * 0.09):
            foot = float(top[min(max(int(x), 0), stage.wide - 1)]) - start
            for blade in range(int(random.integers(2, 6))):
                _weed(random, cutter, x + blade * stage.unit * 0.009, foot + 4, stage.unit * (0.04 + 0.09 * depth))
        rows = np.arange(start, stage.height, dtype=np.float32)[:, None]
        cover = np.maximum(np.clip(rows - top[None, :] + 0.5, 0, 1), cutter.mask())
        colour = mix(rgb(stage.palette.horizon), rgb(stage.palette.near), 0.25 + 0.7 * depth)
        paint = np.broadcast_to(colour, (*cover.shape, 3))
        return Layer(start, np.asarray(paint, np.float32), np.asarray(cover, np.float32), 0.2 + 0.5 * depth)

    def _make_bubbles(self) -> Field:
        """Column, row, radius and strength of each; the row is where it starts to rise."""
        random = self._stage.dice("bubbles")
        count = 70
        small = random.random(count) ** 3
        rows = random.random(count)
        return np.stack((random.random(count), rows, 0.0012 + 0.006 * small, 0.15 + 0.4 * random.random(count)), 1)

    def _add_bubbles(self, picture: Picture, moment: float) -> None:
        stage = self._stage
        for column, row, radius, strength in self._bubbles:
            size = max(radius * stage.unit, 0.7)
            x = column * stage.width + size * 2 * np.sin(9 * moment + 20 * column)
            y = (row - 0.25 * moment) % 1.0 * stage.height
            reach = int(size * 2) + 2
            top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
            part = picture[top : int(y) + reach, left : int(x) + reach]
            if not part.size:
                continue
            rows = np.arange(top, top + part.shape[0], dtype=np.float32)[:, None]
            columns = np.arange(left, left + part.shape[1], dtype=np.float32)[None, :]
            away = np.hypot(rows - y, columns - x)
            ring = np.exp(-(((away - size) / max(size * 0.3, 0.6)) ** 2)) + 0.25 * (away < size)
            part += (rgb(stage.palette.light) - part) * np.clip(ring * strength, 0, 1)[..., None]


def _weed(random: np.random.Generator, cutter: Cutter, x: float, foot: float, tall: float) -> None:
    tall *= float(random.uniform(0.4, 1.2))
    lean, phase = float(random.uniform(-0.25, 0.25)), float(random.uniform(0, 6))
    share = np.linspace(0, 1, 12)
    spine = x + tall * (lean * share**1.5 + 0.07 * np.sin(6 * share + phase) * share)
    half = tall * 0.05 * (1 - share**2) + 0.2
    rows = foot - tall * share
    left = list(zip((spine - half).tolist(), rows.tolist(), strict=True))
    right = list(zip((spine + half).tolist(), rows.tolist(), strict=True))
    cutter.polygon([*left, *reversed(right)])

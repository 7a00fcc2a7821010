"""What grows on a ridge: a wood, or a meadow."""

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Picture, Stage
from genpulse.providers.sandbox.pictures.landscape.ground_colour import ground_colour
from genpulse.providers.sandbox.pictures.landscape.trees import Cutter, conifer, grass, spots
from genpulse.providers.sandbox.pictures.noise import Field
from genpulse.providers.sandbox.pictures.palette import mix, rgb

_TINTS = 3
_LEAFY = frozenset({"#c8591c", "#f2b7c6"})


class Plants:
    """`depth` is how near the ridge is, from 0 to 1. Cut out in a few tints, so that leaves differ."""

    def __init__(self, stage: Stage, height: int, depth: float) -> None:
        self._stage, self._depth = stage, depth
        self._cutters = [Cutter(height, stage.wide) for _ in range(_TINTS)]
        self._masks: list[Field] = []
        ground = ground_colour(stage, min(depth, 1.0))
        low = stage.palette.name in ("dawn", "sunset", "fire")
        share = (0.15 + 0.45 * depth) * (0.5 if low and stage.palette.foliage[0] not in _LEAFY else 0.85)
        leaves = [rgb(stage.palette.foliage[number % len(stage.palette.foliage)]) for number in range(_TINTS)]
        self._colours = [mix(ground, leaf, share) for leaf in leaves]

    def wood(self, top: Field, number: int) -> None:
        """Trees along the line `top`: firs, and among them broad ones where the season colours leaves."""
        stage, random = self._stage, self._stage.dice("plants", number)
        tall = stage.unit * (0.03 + 0.1 * self._depth**1.2)
        leafy = 0.65 if stage.palette.foliage[0] in _LEAFY else 0.0
        for x in spots(random, stage.wide, tall * (0.36 if leafy else 0.25)):
            foot = float(top[min(max(int(x), 0), stage.wide - 1)])
            size = tall * float(random.uniform(0.5, 1.2)) * (1.25 if random.random() < 0.12 else 1)
            tint = int(random.integers(_TINTS))
            if random.random() < leafy:
                self._broad(random, tint, (x, foot, size * 0.72))
            else:
                self._cutters[tint].polygon(conifer(random, x, foot + 0.1 * size, size))

    def meadow(self, top: Field, number: int) -> None:
        """Grass, and a few flowers in spring."""
        stage, random = self._stage, self._stage.dice("plants", number)
        for x in spots(random, stage.wide, stage.unit * 0.0045):
            foot = float(top[min(max(int(x), 0), stage.wide - 1)])
            tall = stage.unit * float(random.uniform(0.008, 0.034))
            self._cutters[-1].polygon(grass(random, x, foot, tall))
            if stage.palette.name == "spring" and random.random() < 0.1:
                radius = stage.unit * float(random.uniform(0.002, 0.0045))
                self._cutters[0].disc(x, foot - tall * 0.8 + float(random.random()) * stage.unit * 0.06, radius)

    def paint(self, colour: Picture) -> None:
        """Tint a picture of the ridge where plants are."""
        self._masks = [cutter.mask() for cutter in self._cutters]
        for mask, tint in zip(self._masks, self._colours, strict=True):
            colour += (tint - colour) * mask[..., None]

    def cover(self) -> Field:
        """Where plants are, from 0 to 1."""
        return np.asarray(np.maximum.reduce(self._masks), np.float32)

    def _broad(self, random: np.random.Generator, tint: int, place: tuple[float, float, float]) -> None:
        x, foot, tall = place
        cutter, half = self._cutters[tint], tall * 0.035
        cutter.polygon([(x - half, foot + 3), (x - half, foot - tall * 0.5), (x + half, foot - tall * 0.5),
                        (x + half, foot + 3)])  # fmt: skip
        for _ in range(11):
            aside, up = float(random.uniform(-0.26, 0.26)), float(random.uniform(0.42, 0.88))
            cutter.disc(x + aside * tall, foot - up * tall, tall * float(random.uniform(0.10, 0.17)))

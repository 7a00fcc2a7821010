"""Puts figures on the stage: lights them, moves them."""

import numpy as np
from numpy.typing import NDArray

from genpulse.providers.sandbox.pictures import figures
from genpulse.providers.sandbox.pictures.canvas import NEAR_SPEED, Layer, Picture, Stage
from genpulse.providers.sandbox.pictures.figures import Part
from genpulse.providers.sandbox.pictures.landscape.trees import Cutter, grass, spots
from genpulse.providers.sandbox.pictures.noise import step
from genpulse.providers.sandbox.pictures.palette import mix, rgb
from genpulse.providers.sandbox.pictures.portrait import Portrait, curve
from genpulse.providers.sandbox.pictures.scene import Actor, Place

_LOOKS: dict[Actor, tuple[Part, ...]] = {
    Actor.FOX: figures.FOX,
    Actor.WOLF: figures.WOLF,
    Actor.CAT: figures.CAT,
    Actor.SHEEP: figures.SHEEP,
    Actor.WHALE: figures.WHALE,
    Actor.FISH: figures.FISH,
    Actor.BOAT: figures.BOAT,
    Actor.LIGHTHOUSE: figures.LIGHTHOUSE,
    Actor.HOUSE: figures.HOUSE,
    Actor.CACTUS: figures.CACTUS,
    Actor.BALLOON: figures.BALLOON,
}
_SIZES = {
    Actor.FOX: 0.42,
    Actor.WOLF: 0.42,
    Actor.CAT: 0.34,
    Actor.SHEEP: 0.3,
    Actor.WHALE: 0.66,
    Actor.FISH: 0.2,
    Actor.BOAT: 0.27,
    Actor.LIGHTHOUSE: 0.56,
    Actor.HOUSE: 0.26,
    Actor.TREE: 0.62,
    Actor.CACTUS: 0.4,
    Actor.BALLOON: 0.36,
}
_FLOATING = frozenset({Actor.BOAT})
_HOVERING = frozenset({Actor.WHALE, Actor.FISH, Actor.BALLOON})


class Troupe:
    """All figures of one picture."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._actor = stage.scene.actor
        self._portraits = self._make_portraits()
        self._flock = self._make_flock()
        self._tufts = self._make_tufts()

    def add_far(self, picture: Picture, moment: float) -> None:
        """Birds, high above."""
        if not self._flock:
            return
        cutter = Cutter(self._stage.horizon, self._stage.width)
        for x, y, size, phase in self._flock:
            flap = 0.75 + 0.45 * np.sin(22 * moment + phase)
            left = x + self._stage.unit * 0.13 * (moment - 0.4)
            points = curve(figures.BIRD) * np.array([size, size * flap], np.float32) + np.array(
                [left, y], np.float32
            )
            cutter.polygon([(float(a), float(b)) for a, b in points])
        colour = mix(rgb(self._stage.palette.near), rgb(self._stage.palette.top), 0.3)
        if self._stage.palette.moon:
            colour = rgb("#04060c")
        above = picture[: self._stage.horizon]
        above += (colour - above) * (cutter.mask() * 0.85)[..., None]

    def add_middle(self, picture: Picture, moment: float) -> None:
        """What is on or in the water, or in the air."""
        if self._actor in _FLOATING | _HOVERING:
            self._show(picture, moment)

    def add_near(self, picture: Picture, moment: float) -> None:
        """What stands on the ground, with grass before its feet."""
        if self._actor is None or self._actor in _FLOATING | _HOVERING:
            return
        self._show(picture, moment)
        self._tufts.add(picture, moment)
        if self._actor is Actor.LIGHTHOUSE:
            self._add_beam(picture, moment)

    def _show(self, picture: Picture, moment: float) -> None:
        for portrait, left, top in self._portraits:
            across, down = self._moved(moment)
            portrait.add(picture, left + across * self._stage.unit, top + down * self._stage.unit)

    def _moved(self, moment: float) -> tuple[float, float]:
        """Since the moment of the still picture, in units."""
        past = moment - 0.4
        match self._actor:
            case Actor.WHALE | Actor.FISH:
                return -0.12 * past, 0.012 * float(np.sin(6 * moment))
            case Actor.BOAT:
                return 0.1 * past, 0.004 * float(np.sin(11 * moment))
            case Actor.BALLOON:
                return 0.05 * past, -0.06 * past
            case _:
                return -NEAR_SPEED * self._stage.spare / self._stage.unit * past, 0.0

    def _make_portraits(self) -> list[tuple[Portrait, float, float]]:
        """Each figure and where it stands."""
        if self._actor is None:
            return []
        stage = self._stage
        size = stage.unit * _SIZES[self._actor]
        random = stage.dice("figure")
        if self._actor is Actor.TREE:
            parts = figures.grown_tree(random, stage.palette.foliage)
        else:
            parts = _LOOKS[self._actor]
        if self._actor is Actor.FISH:
            return [self._swimmer(random, parts) for _ in range(9)]
        left, top = self._spot(size)
        flip = stage.scene.light_x < 0.5 and self._actor in (Actor.FOX, Actor.WOLF, Actor.CAT, Actor.SHEEP)
        towards = stage.light_x - (left + size / 2)
        return [(Portrait(stage.palette, parts, size, flip=flip, towards=float(np.sign(towards))), left, top)]

    def _swimmer(self, random: np.random.Generator, parts: tuple[Part, ...]) -> tuple[Portrait, float, float]:
        stage = self._stage
        size = stage.unit * float(random.uniform(0.08, 0.2))
        left = stage.width * float(random.uniform(0.08, 0.8))
        return (
            Portrait(stage.palette, parts, size, towards=0.0),
            left,
            stage.height * float(random.uniform(0.25, 0.72)),
        )

    def _spot(self, size: float) -> tuple[float, float]:
        """Left and top in pixels: on the side that the light is not on, at a third of the width."""
        stage = self._stage
        third = stage.width * (0.32 if stage.scene.light_x > 0.5 else 0.68)
        match self._actor:
            case Actor.WHALE:
                return stage.width * 0.5 - size / 2, stage.height * 0.46 - size * 0.45
            case Actor.BALLOON:
                return third - size / 2, stage.height * 0.3 - size * 0.5
            case Actor.BOAT:
                return third - size / 2, stage.horizon + stage.height * 0.13 - size * 0.96
            case Actor.LIGHTHOUSE | Actor.HOUSE | Actor.TREE:
                return third - size / 2, stage.height - 0.035 * stage.unit - size * (
                    0.91 if self._actor is Actor.LIGHTHOUSE else 0.99
                )
            case _:
                return third - size / 2, stage.height - 0.04 * stage.unit - size * 0.99

    def _make_flock(self) -> list[tuple[float, float, float, float]]:
        stage = self._stage
        count = stage.scene.birds
        random = stage.dice("birds")
        left, top = float(random.uniform(0.16, 0.6)), float(random.uniform(0.16, 0.34))
        wing = stage.unit * (0.05 if count > 4 else 0.034)
        flock = []
        for number in range(count):
            rank = (number + 1) // 2 * (1 if number % 2 else -1)
            x = stage.width * left + wing * (
                1.05 * abs(rank) * (1 if rank > 0 else 0.8) + float(random.uniform(-0.3, 0.3))
            )
            y = stage.horizon * top + wing * (0.75 * rank + float(random.uniform(-0.25, 0.25)))
            flock.append((x, y, wing * float(random.uniform(0.7, 1.1)), float(random.uniform(0, 6))))
        return flock

    def _make_tufts(self) -> Layer:
        """Grass in front of the feet of what stands in it; in a desert, bare ground."""
        stage, random = self._stage, self._stage.dice("tufts")
        top = max(int(stage.height - 0.12 * stage.unit), 0)
        height = stage.height - top
        cutter = Cutter(height, stage.wide)
        if stage.scene.place is not Place.DESERT:
            for x in spots(random, stage.wide, stage.unit * 0.0035):
                foot = height - stage.unit * float(random.uniform(0.0, 0.042))
                cutter.polygon(grass(random, x, foot, stage.unit * float(random.uniform(0.012, 0.05))))
        rows = np.arange(height, dtype=np.float32)[:, None] - height
        ground = step(-0.036, -0.016, np.asarray(rows / stage.unit, np.float32))
        cover = np.maximum(cutter.mask(), ground)
        tone = mix(rgb(stage.palette.near), rgb("#000000"), 0.1)
        colour = np.asarray(np.broadcast_to(tone, (*cover.shape, 3)), np.float32)
        return Layer(top, colour, np.asarray(cover, np.float32), NEAR_SPEED)

    def _add_beam(self, picture: Picture, moment: float) -> None:
        """The lamp, and its light going round."""
        stage = self._stage
        size = stage.unit * _SIZES[Actor.LIGHTHOUSE]
        left, top = self._spot(size)
        left += self._moved(moment)[0] * stage.unit
        dx, dy = stage.across - (left + 0.5 * size), stage.down - (top + 0.172 * size)
        turn = 2 * np.pi * (moment - 0.4) + 0.5
        reach = np.cos(turn)
        slope = 0.13 * np.sin(turn)
        aside = np.abs(dy - slope * dx) / (np.abs(dx) * 0.07 + 0.012 * stage.unit)
        long = stage.unit * (0.12 + 0.6 * abs(reach))
        far = np.exp(-np.abs(dx) / long)
        beam: NDArray[np.float32] = np.asarray(np.exp(-(aside**2)) * far, np.float32)
        lamp = np.exp(-np.hypot(dx, dy) / (0.02 * stage.unit))
        strength = 0.62 * stage.palette.dim / 0.6 + 0.12
        glow = np.clip(strength * beam + 0.9 * lamp, 0, 1)
        picture += (rgb("#fff3c4") - picture) * glow[..., None]

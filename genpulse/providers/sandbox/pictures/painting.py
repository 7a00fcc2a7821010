"""A picture from words and a number, painted from back to front."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from genpulse.providers.sandbox.pictures.canvas import Layer, Picture, Stage
from genpulse.providers.sandbox.pictures.figure_layer import Troupe
from genpulse.providers.sandbox.pictures.landscape import ridges, skyline
from genpulse.providers.sandbox.pictures.landscape.silk import Flow
from genpulse.providers.sandbox.pictures.landscape.sky import Sky
from genpulse.providers.sandbox.pictures.landscape.underwater import Deep
from genpulse.providers.sandbox.pictures.landscape.water import Water
from genpulse.providers.sandbox.pictures.landscape.weather import Weather
from genpulse.providers.sandbox.pictures.noise import Dice
from genpulse.providers.sandbox.pictures.scene import Place, read

Pixels = NDArray[np.uint8]
Shown = Callable[[float], None]
_TRAVEL = 0.14


def _nothing(_fraction: float) -> None:
    """Tell nobody."""


def _backdrop(stage: Stage) -> Sky | Deep | Flow:
    match stage.scene.place:
        case Place.DEEP:
            return Deep(stage)
        case Place.FLOW:
            return Flow(stage)
        case _:
            return Sky(stage)


class Painting:
    """One scene. The same words, seed and size give the same pixels.

    Where it is going to move, its layers are made wider than the picture. `shown` is told how much of the
    preparation is done, from 0 to 1, and may raise to stop it.
    """

    def __init__(
        self, prompt: str, seed: int, width: int, height: int, *, moving: bool = False, report: Shown = _nothing
    ) -> None:
        dice = Dice(seed)
        scene = read(prompt, dice)
        wide = width + int(width * _TRAVEL) if moving else width
        horizon = max(int(height * (0.6 if scene.water else 0.64)), 2)
        self._stage = stage = Stage(scene, dice, width, height, wide, horizon)
        self._backdrop = _backdrop(stage)
        report(0.2)
        self._behind: list[Layer] = []
        for number, layer in enumerate(self._make_layers(), 1):
            self._behind.append(layer)
            report(0.2 + 0.6 * number / 5)
        self._water = Water(stage) if scene.water else None
        self._front = [ridges.shore(stage)] if scene.water else []
        report(0.9)
        self._troupe = Troupe(stage)
        self._weather = Weather(stage)
        self._vignette = self._make_vignette()
        grain = dice("grain").random((height, width, 1), np.float32)
        self._grain = (grain - np.float32(0.5)) * np.float32(4.0 / 255)
        report(1.0)

    def frame(self, moment: float = 0.4, report: Shown = _nothing) -> Pixels:
        """The picture at a moment from 0 to 1. `report` is told how much of it is painted, and may raise."""
        picture = self._backdrop.paint(moment)
        light = self._backdrop.light(moment)
        report(0.4)
        self._troupe.add_far(picture, moment)
        for number, layer in enumerate(self._behind, 1):
            layer.add(picture, moment)
            report(0.4 + 0.2 * number / len(self._behind))
        if self._water is not None:
            self._water.add(picture, light[0], moment)
        report(0.7)
        self._troupe.add_middle(picture, moment)
        for layer in self._front:
            layer.add(picture, moment)
        self._troupe.add_near(picture, moment)
        report(0.85)
        self._weather.add(picture, moment)
        return self._developed(picture)

    def _make_layers(self) -> Iterator[Layer]:
        match self._stage.scene.place:
            case Place.FLOW:
                return
            case Place.DEEP if isinstance(self._backdrop, Deep):
                yield from self._backdrop.ground()
            case Place.CITY:
                yield from skyline.towers(self._stage)
                if not self._stage.scene.water:
                    yield ridges.shore(self._stage)
            case _:
                yield from ridges.ridges(self._stage)

    def _make_vignette(self) -> Picture:
        across = self._stage.across / self._stage.width - 0.5
        down = self._stage.down / self._stage.height - 0.5
        return np.asarray(1.02 - 0.55 * (across**2 + down**2) ** 1.25, np.float32)[..., None]

    def _developed(self, picture: Picture) -> Pixels:
        """To whole numbers; a fine grain keeps smooth colours from showing steps."""
        picture *= self._vignette
        picture += self._grain
        np.clip(picture, 0, 1, out=picture)
        picture *= 255
        picture += 0.5
        return picture.astype(np.uint8)

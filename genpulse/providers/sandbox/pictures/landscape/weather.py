"""What falls from the sky."""

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Picture, Stage
from genpulse.providers.sandbox.pictures.landscape.trees import Cutter
from genpulse.providers.sandbox.pictures.palette import rgb


class Weather:
    """Snow or rain, in front of everything."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        random = stage.dice("weather")
        count = 260 if stage.scene.snowfall else 340
        self._drops = random.random((count, 3))

    def add(self, picture: Picture, moment: float) -> None:
        """Paint it over the picture."""
        scene = self._stage.scene
        if not (scene.snowfall or scene.rain):
            return
        cutter = Cutter(self._stage.height, self._stage.width)
        for x, y, near in self._drops.tolist():
            if scene.rain and not scene.snowfall:
                self._drop(cutter, x, y, near, moment)
            else:
                self._flake(cutter, x, y, near, moment)
        strength = 0.75 if scene.snowfall else 0.3
        colour = rgb("#ffffff") if scene.snowfall else rgb(self._stage.palette.light)
        picture += (colour - picture) * (cutter.mask() * strength)[..., None]

    def _flake(self, cutter: Cutter, x: float, y: float, near: float, moment: float) -> None:
        stage = self._stage
        fall = (y + moment * (0.25 + 0.5 * near)) % 1.0
        sway = 0.012 * np.sin(12 * moment + 40 * x)
        size = stage.unit * (0.0011 + 0.0034 * near**3)
        cutter.disc((x + sway) * stage.width, fall * stage.height, max(size, 0.5), 120 + int(120 * near))

    def _drop(self, cutter: Cutter, x: float, y: float, near: float, moment: float) -> None:
        stage = self._stage
        fall = (y + moment * (5 + 4 * near)) % 1.0
        left, top = x * 1.15 * stage.width, fall * 1.1 * stage.height - 0.05 * stage.height
        long, thick = stage.unit * (0.018 + 0.035 * near), max(stage.unit * 0.0011, 0.5)
        shape = [
            (left, top),
            (left + thick, top),
            (left - long * 0.22 + thick, top + long),
            (left - long * 0.22, top + long),
        ]
        cutter.polygon(shape, 90 + int(130 * near))

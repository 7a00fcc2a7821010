"""Nothing in particular: silk in the wind, for prompts that name no place."""

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Picture, Stage
from genpulse.providers.sandbox.pictures.noise import Field, field, sample
from genpulse.providers.sandbox.pictures.palette import gradient, mix, rgb

_SHADES = 512


class Flow:
    """Noise, bent by noise that was bent by noise."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        palette, dice = stage.palette, stage.dice
        size = (stage.height, stage.width)
        self._base = field(dice, "flow", *size, 1.7, 3)
        self._one = field(dice, "bend-x", *size, 1.5, 3) - 0.5
        self._two = field(dice, "bend-y", *size, 1.5, 3) - 0.5
        places = np.linspace(0, 1, _SHADES, dtype=np.float32)
        first = gradient((palette.near, palette.top, palette.middle), np.clip(places * 1.8, 0, 1))
        last = gradient((palette.middle, palette.horizon, palette.light), np.clip(places * 1.8 - 0.8, 0, 1))
        share = np.clip((places - 0.4) / 0.2, 0, 1)[:, None]
        self._shades = first * (1 - share) + last * share
        self._dark = mix(rgb(palette.near), rgb(palette.top), 0.25)

    def light(self, _moment: float) -> tuple[float, float]:
        """Comes from above, in pixels."""
        return self._stage.light_x, -0.5 * self._stage.unit

    def paint(self, moment: float) -> Picture:
        """A new picture; the folds move."""
        stage = self._stage
        reach = stage.unit * np.float32(0.62)
        angle = 1.1 * np.pi * (moment - 0.4)
        one = self._one * np.cos(angle) - self._two * np.sin(angle)
        two = self._one * np.sin(angle) + self._two * np.cos(angle)
        rows, columns = stage.down + two * reach, stage.across + one * reach
        bent = sample(self._base, rows, columns)
        rows, columns = rows + (bent - 0.5) * reach * 1.1, columns + (bent - 0.5) * reach * 0.7
        silk = sample(self._base, rows, columns)
        return self._lit(silk, bent)

    def _lit(self, silk: Field, bent: Field) -> Picture:
        stage = self._stage
        low, high = np.quantile(silk[::8, ::8], (0.03, 0.97))
        share = np.clip((silk - low) / max(float(high - low), 1e-6), 0, 1)
        picture = self._shades[(share * (_SHADES - 1)).astype(np.int32)]
        down, across = np.gradient(silk * np.float32(stage.unit))
        facing = np.clip(0.5 + 0.16 * (down + across), 0, 1)
        thread = 0.5 + 0.5 * np.sin((silk * 5 + bent * 2) * 2 * np.pi * 3)
        shadow = np.clip((1 - facing) * 0.75 - 0.12, 0, 0.7) * (0.85 + 0.15 * thread)
        picture = picture + (self._dark - picture) * shadow[..., None]
        gleam = np.clip(facing - 0.55, 0, 1) * 0.9 * (0.75 + 0.25 * thread)
        return np.asarray(picture + (rgb(stage.palette.light) - picture) * gleam[..., None], np.float32)

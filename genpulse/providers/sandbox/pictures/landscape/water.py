"""Water: what is above it, upside down, and the light's path."""

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Picture, Stage
from genpulse.providers.sandbox.pictures.noise import Field, field, sample
from genpulse.providers.sandbox.pictures.palette import rgb


class Water:
    """Fills the picture from the horizon down."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._start = stage.horizon + int(stage.height * 0.018)
        rows = stage.height - self._start
        near: Field = np.linspace(1 / rows, 1, rows, dtype=np.float32)[:, None]
        self._near = near
        swell = field(stage.dice, "swell", max(rows, 8), stage.width, 9, 4, stretch=3.0)
        self._ripples = (
            sample(swell, np.float32(rows * 1.8) * np.sqrt(near), stage.across * (1.7 - near)),
            sample(swell, np.float32(rows * 2.6) * np.sqrt(near) + 17, stage.across * (2.1 - near) + 91),
        )

    def add(self, picture: Picture, light_x: float, moment: float) -> None:
        """Paint it below the horizon of a picture that is finished above it."""
        stage, near, start = self._stage, self._near, self._start
        one, two = self._ripples
        phase = np.float32(2 * np.pi * moment)
        wave = np.sin(one * 34 + 2 * phase) + np.sin(two * 47 - 3 * phase)
        rows = start - 1 - (np.arange(picture.shape[0] - start, dtype=np.float32)[:, None] * 1.15)
        rows = np.clip(rows + wave * (0.4 + 9 * near**1.3) * stage.unit / 768, 0, start - 1)
        columns = np.clip(stage.across + wave * (0.5 + 5 * near) * stage.unit / 768, 0, stage.width - 1)
        mirrored = picture[rows.astype(np.int32), columns.astype(np.int32)]
        share = (0.16 + 0.5 * near**0.8 + 0.07 * wave * near)[..., None]
        water = mirrored + (rgb(stage.palette.water) - mirrored) * np.clip(share, 0, 0.85)
        reach = stage.unit * (0.035 + 0.17 * near)
        path = np.exp(-(((stage.across - light_x) / reach) ** 2))
        glint = np.clip(wave * 0.55 + 0.1, 0, 1) ** 1.5
        strong = 0.35 if stage.palette.clouds >= 1 else 0.9
        shine = np.clip(path * glint * strong * (1.05 - 0.5 * near), 0, 1)
        water += (rgb(stage.palette.light) - water) * shine[..., None]
        crest = np.clip(wave - 1.55, 0, 1) * (0.1 + 0.3 * near)
        water += (rgb(stage.palette.horizon) - water) * crest[..., None]
        picture[start:] = water

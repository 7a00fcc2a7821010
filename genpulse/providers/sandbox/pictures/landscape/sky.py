"""The sky: its colours, the sun or moon, the stars, the clouds."""

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Picture, Stage, shifted
from genpulse.providers.sandbox.pictures.noise import Field, field, sample, spread, step
from genpulse.providers.sandbox.pictures.palette import gradient, mix, rgb


class Sky:
    """Painted first, behind everything."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        palette = stage.palette
        self._column = gradient(
            (palette.top, palette.middle, palette.horizon), np.clip(stage.down[:, 0] / stage.horizon, 0, 1)
        )
        self._light = rgb(palette.light)
        self._stars = self._make_stars()
        self._rays = field(stage.dice, "aurora", 8, stage.wide, 6, 4, stretch=0.02)[4]
        self._density, self._edge = self._make_clouds()

    def light(self, moment: float) -> tuple[float, float]:
        """Where the sun or moon stands, in pixels; it rises."""
        high = self._stage.palette.sun + 0.09 * (moment - 0.4)
        return self._stage.light_x, self._stage.horizon * (1 - high)

    def paint(self, moment: float) -> Picture:
        """A new picture of nothing but sky."""
        stage = self._stage
        picture = np.repeat(self._column[:, None, :], stage.width, 1)
        distance = self._distance(moment)
        if stage.palette.stars > 0:
            self._add_stars(picture, moment)
        if stage.scene.aurora:
            self._add_aurora(picture, moment)
        self._add_glow(picture, distance)
        if stage.palette.clouds < 1.0:
            self._add_disc(picture, distance, moment)
        self._add_clouds(picture, distance, moment)
        return picture

    def _distance(self, moment: float) -> Field:
        """From the light, in units."""
        x, y = self.light(moment)
        return np.asarray(np.hypot(self._stage.across - x, self._stage.down - y) / self._stage.unit, np.float32)

    def _add_glow(self, picture: Picture, distance: Field) -> None:
        wide = np.exp(distance * -3.4)
        narrow = wide**4
        strength = 0.4 if self._stage.palette.moon else 0.62
        if self._stage.palette.clouds >= 1.0:
            strength *= 0.55
        picture += (self._light - picture) * (strength * (0.62 * wide + 0.38 * narrow))[..., None]

    def _add_disc(self, picture: Picture, distance: Field, moment: float) -> None:
        radius = 0.036 if self._stage.palette.moon else 0.052
        disc = np.clip((radius - distance) * self._stage.unit / 1.2 + 0.5, 0, 1)
        colour: Picture = np.broadcast_to(self._light, picture.shape)
        if self._stage.palette.moon:
            x, y = self.light(moment)
            away = (self._stage.across - x) * 0.8 + (self._stage.down - y) * 0.6
            colour = np.asarray(colour * (0.96 - 1.7 * away / self._stage.unit)[..., None], np.float32)
        picture += (np.clip(colour, 0, 1) - picture) * disc[..., None]

    def _make_stars(self) -> Field:
        stage = self._stage
        sky = np.zeros((stage.height, stage.width), np.float32)
        if stage.palette.stars <= 0:
            return sky
        random = stage.dice("stars")
        count = int(stage.width * stage.horizon / 620 * stage.palette.stars)
        milky = field(stage.dice, "milky", stage.height, stage.width, 2, 4)
        rows = random.random(count) ** 1.3 * (stage.horizon - 2)
        columns = random.random(count) * (stage.width - 2)
        bright = (0.16 + 0.84 * random.random(count) ** 5) * (
            0.6 + 0.7 * milky[rows.astype(int), columns.astype(int)]
        )
        size = max(stage.unit / 768, 1.0)
        for row, column, light in zip(rows, columns, bright, strict=True):
            reach = max(round(size * (1 + 2 * (light > 0.55))), 1)
            top, left = int(row), int(column)
            down = np.arange(top - reach, top + reach + 1).clip(0, stage.height - 1)[:, None]
            right = np.arange(left - reach, left + reach + 1).clip(0, stage.width - 1)[None, :]
            away = (down - row) ** 2 + (right - column) ** 2
            spot = light * np.exp(-away / (0.45 * size * (1 + light)) ** 2)
            sky[down, right] = np.maximum(sky[down, right], spot)
        return sky

    def _add_stars(self, picture: Picture, moment: float) -> None:
        stage = self._stage
        twinkle = 0.84 + 0.16 * np.sin(stage.across * 2.3 + stage.down * 3.1 + 38 * moment)
        fade = step(1.0, 0.45, stage.down / stage.horizon)
        picture += (self._stars * twinkle * fade)[..., None] * rgb("#f6f2ff")

    def _add_aurora(self, picture: Picture, moment: float) -> None:
        stage = self._stage
        rays = shifted(self._rays[None, :], stage.width, 0.5 * moment)[0]
        x = stage.across[0] / stage.unit
        for number, colour in enumerate(("#46f0a0", "#59d7e8", "#a06cff")):
            bend = 0.09 * np.sin(4.3 * x + 2.4 * number + 2 * moment) + 0.05 * np.sin(
                9.1 * x - number - 3 * moment
            )
            foot = stage.horizon * (0.62 - 0.13 * number + bend)
            above = (foot - stage.down) / stage.unit
            curtain = step(-0.02, 0.015, above) * np.exp(-np.clip(above, 0, None) * (5.5 + 6 * rays))
            picture += (curtain * (0.14 + 0.42 * rays))[..., None] * rgb(colour)

    def _make_clouds(self) -> tuple[Field, Field]:
        """How dense they are, wider than the picture, and where their upper edges catch the light.

        They lie on a ceiling: towards the horizon they are nearer to each other and flatter.
        """
        stage = self._stage
        height, wide = stage.horizon, stage.wide
        plain = field(stage.dice, "clouds", height, wide, 3.2, 6, stretch=2.4)
        bend = field(stage.dice, "wind", height, wide, 2.2, 4, stretch=2.0) - 0.5
        rows = np.arange(height, dtype=np.float32)[:, None]
        nearness = 1 + 1.6 * (rows / height) ** 2
        columns = np.arange(wide, dtype=np.float32)[None, :]
        density = sample(plain, rows * nearness + bend * height * 0.32, columns + bend * height * 0.5)
        lift = max(round(stage.unit * 0.012), 1)
        edge = density - np.concatenate((np.repeat(density[:1], lift, 0), density[:-lift]))
        return spread(density), np.asarray(np.clip(edge * 5, -1, 1), np.float32)

    def _add_clouds(self, picture: Picture, distance: Field, moment: float) -> None:
        stage, much = self._stage, self._stage.palette.clouds
        if much <= 0:
            return
        density = shifted(self._density, stage.width, 0.8 * moment)
        edge = shifted(self._edge, stage.width, 0.8 * moment)
        height = stage.down[: stage.horizon] / stage.horizon
        low = 0.70 - 0.36 * much
        cover = step(low, low + 0.34, density) * np.clip((1.02 - height) * 6, 0, 1)
        near = np.exp(distance[: stage.horizon] * -2.2)
        dark = mix(rgb(stage.palette.middle), rgb(stage.palette.top), 0.35)
        bright = mix(rgb(stage.palette.horizon), rgb(stage.palette.light), 0.55)
        shade = np.clip(0.12 + 0.75 * near + 0.4 * edge + 0.22 * height - 0.25 * (density - low), 0, 1)
        if stage.palette.name in ("day", "spring", "snow", "autumn", "desert"):
            shade = np.clip(0.62 + 0.45 * edge + 0.2 * near, 0, 1)
        colour = dark + (bright - dark) * shade[..., None]
        above = picture[: stage.horizon]
        above += (colour - above) * (cover * (0.62 + 0.3 * much))[..., None]

"""A landscape from words and a number: sky, light, clouds, ridges, water, and what stands in front."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genpulse.providers.sandbox import figures
from genpulse.providers.sandbox.noise import Field, field, line
from genpulse.providers.sandbox.palette import DEEP, Palette, choose, mix, rgb

Pixels = NDArray[np.uint8]
Picture = NDArray[np.float32]

_WATER = {
    "sea",
    "ocean",
    "lake",
    "river",
    "boat",
    "ship",
    "sail",
    "lighthouse",
    "coast",
    "beach",
    "island",
    "water",
}
_TREES = {"forest", "woods", "trees", "fox", "deer", "pine", "taiga", "jungle"}
_CITY = {"city", "skyline", "town", "street", "buildings", "urban"}
_WIDER = 1.6
"""How much wider than the picture its layers are, so that they can move."""


@dataclass(frozen=True, slots=True)
class _Ridge:
    top: Field
    colour: NDArray[np.float32]
    speed: float
    mist: float


def _nothing(_fraction: float) -> None:
    """Tell nobody."""


class Painting:
    """One scene. The same words, seed and size give the same pixels."""

    def __init__(self, prompt: str, seed: int, width: int, height: int) -> None:
        self._random = np.random.default_rng(seed)
        self._words = set(re.findall(r"[a-z]+", prompt.lower()))
        self._width, self._height = width, height
        self._palette: Palette = choose(self._words, self._random)
        self._under_water = self._palette is DEEP
        self._has_water = bool(self._words & _WATER) or (
            not self._words & (_TREES | _CITY) and self._random.random() < 0.35
        )
        self._horizon = int(height * (0.62 if self._has_water else 0.66))
        self._across = np.arange(width, dtype=np.float32)[None, :]
        self._down = np.arange(height, dtype=np.float32)[:, None]
        self._light_x = float(self._random.uniform(0.28, 0.72))
        self._clouds = field(self._random, height, int(width * _WIDER), 4.0, 6)
        self._wisps = field(self._random, height, int(width * _WIDER), 9.0, 5)
        self._grain = (self._random.random((height, width, 1), np.float32) - 0.5) * 0.022
        self._stars = self._make_stars()
        self._ridges = self._make_ridges()
        self._figure = self._make_figure()
        self._vignette = self._make_vignette()

    def frame(self, moment: float = 0.0, shown: Callable[[float], None] = _nothing) -> Pixels:
        """The picture at a moment from 0 to 1; `shown` is told how much of it is painted."""
        light = self._light(moment)
        picture = self._sky(light)
        shown(0.15)
        if not self._under_water:
            self._add_stars(picture, moment)
            self._add_clouds(picture, light, moment)
        shown(0.35)
        if self._under_water:
            self._add_rays(picture, moment)
        elif self._has_water:
            self._add_ridges(picture, moment, self._ridges[:2])
            self._add_water(picture, light, moment)
            self._add_ridges(picture, moment, self._ridges[-1:])
        else:
            self._add_ridges(picture, moment, self._ridges, shown)
        shown(0.75)
        self._add_figure(picture, moment)
        shown(0.9)
        finished = np.clip(picture * self._vignette + self._grain, 0, 1)
        return np.asarray(finished * 255 + 0.5, np.uint8)

    def _light(self, moment: float) -> tuple[float, float]:
        """Where the sun or the moon stands, in pixels."""
        height = self._palette.sun + 0.06 * (moment - 0.35)
        return self._light_x * self._width, self._horizon * (1 - height)

    def _sky(self, light: tuple[float, float]) -> Picture:
        palette = self._palette
        stops = np.array([0.0, 0.55, 1.0], np.float32)
        reach = self._height if self._under_water else self._horizon
        place = np.clip(self._down[:, 0] / reach, 0, 1)
        colours = np.stack([rgb(palette.top), rgb(palette.middle), rgb(palette.horizon)])
        column = np.stack([np.interp(place, stops, colours[:, channel]) for channel in range(3)], -1)
        picture = np.repeat(column[:, None, :], self._width, 1).astype(np.float32)
        distance = np.hypot(self._across - light[0], (self._down - light[1]) * 1.1) / self._height
        glow = 0.55 * np.exp(-distance * 5.0) + 0.35 * np.exp(-distance * 16.0)
        if palette.moon:
            glow *= 0.55
        picture += (rgb(palette.light) - picture) * np.clip(glow, 0, 1)[..., None]
        if not self._under_water and palette.clouds < 1.0:
            radius = 0.035 if palette.moon else 0.05
            disc = np.clip((radius - distance) * self._height / 1.5, 0, 1)[..., None]
            picture += (rgb(palette.light) - picture) * disc
        return picture

    def _make_stars(self) -> Field:
        sky = np.zeros((self._height, self._width), np.float32)
        if self._palette.stars <= 0:
            return sky
        count = int(self._width * self._horizon / 900 * self._palette.stars)
        rows = (self._random.random(count) ** 1.4 * self._horizon * 0.95).astype(int)
        columns = self._random.integers(0, self._width, count)
        bright = self._random.random(count).astype(np.float32) ** 4
        sky[rows, columns] = 0.25 + 0.75 * bright
        big = bright > 0.6
        for down, across in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            near_rows = np.clip(rows[big] + down, 0, self._height - 1)
            near_columns = np.clip(columns[big] + across, 0, self._width - 1)
            sky[near_rows, near_columns] = np.maximum(sky[near_rows, near_columns], 0.35)
        return sky

    def _add_stars(self, picture: Picture, moment: float) -> None:
        if self._palette.stars > 0:
            twinkle = 0.85 + 0.15 * np.sin(40 * moment + self._wisps[:, : self._width] * 60)
            picture += (self._stars * twinkle)[..., None] * rgb("#f4f2ff")

    def _shifted(self, layer: Field, moment: float, speed: float) -> Field:
        """The part of a wide layer that is seen at a moment, between whole pixels too."""
        place = moment * speed * (layer.shape[-1] - self._width - 1)
        left, share = int(place), place - int(place)
        one = layer[..., left : left + self._width]
        other = layer[..., left + 1 : left + 1 + self._width]
        return np.asarray(one * (1 - share) + other * share, np.float32)

    def _add_clouds(self, picture: Picture, light: tuple[float, float], moment: float) -> None:
        much = self._palette.clouds
        if much <= 0:
            return
        noise = 0.7 * self._shifted(self._clouds, moment, 0.6) + 0.3 * self._shifted(self._wisps, moment, 0.9)
        height = self._down / self._horizon
        cover = np.clip((noise - (0.66 - 0.32 * much)) * 3.2, 0, 1) * np.clip(1.25 - height, 0.15, 1)
        lit = np.clip(1 - np.abs(self._across - light[0]) / self._width * 1.3, 0, 1) * np.clip(height, 0, 1)
        bright = mix(rgb(self._palette.horizon), rgb(self._palette.light), 0.45)
        dark = mix(rgb(self._palette.middle), rgb(self._palette.top), 0.45)
        shade = np.clip(0.25 + 0.75 * lit + 0.9 * (noise - np.roll(noise, -max(self._height // 60, 1), 0)), 0, 1)
        colour = dark + (bright - dark) * shade[..., None]
        picture += (colour - picture) * (cover * (0.55 + 0.3 * much))[..., None]

    def _make_ridges(self) -> list[_Ridge]:
        count = 3 if self._has_water else 5
        ridges = [self._make_ridge(number, count) for number in range(count)]
        if self._words & _CITY:
            ridges[-2] = self._make_skyline(ridges[-2])
        return ridges

    def _make_ridge(self, number: int, count: int) -> _Ridge:
        depth = number / (count - 1)
        wide = int(self._width * _WIDER)
        mountains = bool(self._words & {"mountain", "mountains", "peaks", "alps"})
        rough = 0.56 if mountains else 0.46
        shape = line(self._random, wide, 3 + 4 * (1 - depth) + (3 if mountains else 0), 7, rough)
        tall = self._height * ((0.34 if mountains else 0.17) * (1 - 0.55 * depth))
        base = self._horizon + self._height * (0.02 + 0.26 * depth**1.5)
        top = base - shape * tall
        if depth > 0.45 and self._words & _TREES:
            top = top - self._conifers(wide, self._height * (0.03 + 0.075 * depth))
        haze = mix(rgb(self._palette.horizon), rgb(self._palette.far), 0.35 + 0.65 * min(depth * 2, 1))
        colour = mix(haze, rgb(self._palette.near), max(depth * 1.35 - 0.35, 0))
        return _Ridge(np.asarray(top, np.float32), colour, 0.12 + 0.55 * depth, 0.65 * (1 - depth))

    def _conifers(self, wide: int, tall: float) -> Field:
        """The height that trees add to a ridge."""
        added = np.zeros(wide, np.float32)
        across = np.arange(wide, dtype=np.float32)
        x = 0.0
        while x < wide:
            height = tall * float(self._random.uniform(0.45, 1.15))
            half = height * float(self._random.uniform(0.17, 0.25))
            low, high = max(int(x - half), 0), min(int(x + half) + 1, wide)
            away = np.abs(across[low:high] - x) / half
            steps = 0.07 * ((away * 9) % 1.0)
            added[low:high] = np.maximum(added[low:high], height * np.clip(1 - away - steps * away, 0, 1))
            x += half * float(self._random.uniform(0.5, 1.6))
        return added

    def _make_skyline(self, ridge: _Ridge) -> _Ridge:
        top = np.full_like(ridge.top, self._horizon + self._height * 0.06)
        x = 0
        while x < top.shape[0]:
            broad = int(self._width * self._random.uniform(0.025, 0.07))
            tall = self._height * self._random.uniform(0.06, 0.2) * (1 + 1.1 * (self._random.random() ** 4))
            top[x : x + broad] -= tall
            if self._random.random() < 0.25:
                top[x + broad // 2 : x + broad // 2 + max(self._width // 300, 1)] -= tall * 0.25
            x += broad + int(self._width * self._random.uniform(0, 0.012))
        return _Ridge(top, ridge.colour, ridge.speed, 0.1)

    def _add_ridges(
        self,
        picture: Picture,
        moment: float,
        ridges: list[_Ridge],
        shown: Callable[[float], None] = _nothing,
    ) -> None:
        for number, ridge in enumerate(ridges):
            top = self._shifted(ridge.top[None, :], moment, ridge.speed)
            below = self._down - top
            mask = np.clip(below + 0.5, 0, 1)
            mist = ridge.mist * np.clip(below / (self._height * 0.16), 0, 1)
            haze = mix(rgb(self._palette.horizon), rgb(self._palette.light), 0.15)
            rim = np.exp(-np.clip(below, 0, None) / (self._height * 0.006)) * 0.18
            colour = ridge.colour + (haze - ridge.colour) * np.clip(mist + rim, 0, 1)[..., None]
            texture = (self._shifted(self._wisps, moment, ridge.speed) - 0.5) * 0.07
            colour = colour + texture[..., None]
            picture += (colour - picture) * mask[..., None]
            if self._words & _CITY and number == len(ridges) - 2:
                self._add_windows(picture, below, mask)
            shown(0.4 + 0.3 * (number + 1) / len(ridges))

    def _add_windows(self, picture: Picture, below: Field, mask: Field) -> None:
        step = max(self._height // 90, 4)
        rows, columns = (self._down // step).astype(int), (self._across // step).astype(int)
        lit = np.random.default_rng(7).random((rows.max() + 1, columns.max() + 1))[rows, columns] < 0.22
        inside = (self._down % step > step * 0.35) & (self._across % step > step * 0.4) & (below > step)
        glow = (lit & inside) * mask * (below < self._height * 0.5)
        picture += (rgb("#ffd27a") - picture) * (0.75 * glow)[..., None]

    def _add_water(self, picture: Picture, light: tuple[float, float], moment: float) -> None:
        start = self._horizon + int(self._height * 0.02)
        depth = (self._down[start:] - start) / max(self._height - start, 1)
        mirror = np.clip(2 * start - self._down[start:, 0] * 1.0, 0, start - 1)
        wave = np.sin(self._down[start:] * (0.9 - 0.55 * depth) + 14 * np.pi * moment)
        wave = wave + 3.0 * (self._shifted(self._wisps, moment, 0.9)[start:] - 0.5)
        columns = np.clip(self._across + wave * (1.5 + 9 * depth) * self._width / 512, 0, self._width - 1)
        rows = np.repeat(mirror.astype(int)[:, None], self._width, 1)
        reflected = picture[rows, columns.astype(int)]
        share = (0.30 + 0.45 * depth)[..., None]
        water = reflected * (1 - share) + rgb(self._palette.water) * share
        path = np.exp(-(((self._across - light[0]) / (self._width * (0.03 + 0.16 * depth))) ** 2))
        ripple = np.clip(np.sin(self._down[start:] * 1.7 / (1 + 2.2 * depth) + wave * 2.6 + 30 * moment), 0, 1)
        shine = path * ripple**3 * (1 - 0.55 * depth) * (0.55 if self._palette.clouds >= 1 else 0.9)
        water += (rgb(self._palette.light) - water) * shine[..., None]
        picture[start:] = water

    def _add_rays(self, picture: Picture, moment: float) -> None:
        """Light that falls into the deep."""
        slant = self._across + self._down * 0.35
        beams = np.sin(slant / self._width * 21 + 3 * moment) + np.sin(slant / self._width * 47 - 5 * moment)
        fade = np.clip(1 - self._down / self._height * 1.15, 0, 1) ** 1.5
        picture += (np.clip(beams, 0, None) * fade * 0.13)[..., None] * rgb(self._palette.light)
        drift = self._shifted(self._wisps, moment, 0.5)
        picture += (np.clip(drift - 0.78, 0, 1) * 0.5 * fade)[..., None]

    def _make_figure(self) -> tuple[Field, tuple[float, float]] | None:
        """A mask as wide as the picture, and how it moves: across and down, as shares of the height."""
        height, width = self._height, self._width
        shapes: list[tuple[tuple[figures.Point, ...], float, float, float]] = []
        move = (0.0, 0.0)
        side = 0.16 if self._light_x > 0.5 else 0.56
        if self._words & {"fox", "wolf", "dog"}:
            size = height * 0.34
            shapes.append((figures.FOX, width * side, height * 0.955 - size, size))
        elif self._words & {"whale", "dolphin", "fish"} or self._under_water:
            size = width * 0.52
            shapes.append((figures.WHALE, width * 0.22, height * 0.5 - size * 0.42, size))
            move = (-0.05, 0.015)
        elif self._words & {"boat", "ship", "sail", "sailing", "yacht"}:
            size = height * 0.22
            place = (width * side, self._horizon + height * 0.1 - size)
            shapes.extend((part, *place, size) for part in (figures.BOAT, figures.SAIL, figures.JIB))
            move = (0.06, 0.004)
        elif "lighthouse" in self._words:
            size = height * 0.52
            shapes.append((figures.LIGHTHOUSE, width * side, height * 0.9 - size, size))
        elif self._words & {"house", "cabin", "cottage", "home", "farm"}:
            size = height * 0.2
            shapes.append((figures.HOUSE, width * side, height * 0.93 - size, size))
        elif self._words & {"tree", "oak"}:
            size = height * 0.5
            shapes.append((figures.TREE, width * side, height * 0.95 - size, size))
        shapes.extend(self._flock())
        if not shapes:
            return None
        return figures.drawn(height, width, shapes), move

    def _flock(self) -> list[tuple[tuple[figures.Point, ...], float, float, float]]:
        wanted = self._words & {"bird", "birds", "crow", "crows", "gulls", "geese"}
        if self._under_water or not (wanted or self._random.random() < 0.5):
            return []
        count = 9 if wanted else 4
        left, top = self._random.uniform(0.1, 0.6), self._random.uniform(0.12, 0.3)
        return [
            (
                figures.BIRD,
                self._width * (left + 0.05 * number + 0.02 * float(self._random.random())),
                self._height * (top + 0.03 * abs(number - count / 2) + 0.02 * float(self._random.random())),
                self._height * float(self._random.uniform(0.018, 0.034)) * (1.6 if wanted else 1),
            )
            for number in range(count)
        ]

    def _add_figure(self, picture: Picture, moment: float) -> None:
        if self._figure is None:
            return
        mask, (across, down) = self._figure
        shift = (round(down * self._height * np.sin(6 * moment)), round(across * self._height * moment))
        mask = np.roll(mask, shift, (0, 1)) if any(shift) else mask
        edge = max(self._height // 200, 1)
        towards = edge if self._light_x * self._width > self._width / 2 else -edge
        rim = np.clip(mask - np.roll(mask, (edge, -towards), (0, 1)), 0, 1)
        body = mix(rgb(self._palette.near), rgb("#000000"), 0.35)
        if self._under_water:
            body = mix(rgb(self._palette.far), rgb("#000000"), 0.45)
        if "red" in self._words or "fox" in self._words:
            body = mix(body, rgb("#b5461c"), 0.42)
        if self._palette.near > "#8":
            body = mix(body, rgb("#101828"), 0.75)
        picture += (body - picture) * mask[..., None]
        picture += (rgb(self._palette.light) - picture) * (rim * 0.75)[..., None]
        if "lighthouse" in self._words:
            self._add_beam(picture, mask, moment)

    def _add_beam(self, picture: Picture, mask: Field, moment: float) -> None:
        """The lamp, and its light going round."""
        size = self._height * 0.52
        left = self._width * (0.16 if self._light_x > 0.5 else 0.56)
        x, y = left + 0.5 * size, self._height * 0.9 - size + 0.16 * size
        dx, dy = self._across - x, self._down - y
        turn = 0.25 + 2.2 * np.sin(2 * np.pi * moment + 0.4)
        along = dx * np.cos(turn * 0.12) + dy * np.sin(turn * 0.12)
        aside = np.abs(-dx * np.sin(turn * 0.12) + dy * np.cos(turn * 0.12))
        beam = np.exp(-((aside / (np.abs(along) * 0.09 + 2)) ** 2)) * np.exp(-np.abs(along) / (self._width * 0.45))
        lamp = np.exp(-np.hypot(dx, dy) / (self._height * 0.018))
        glow = np.clip(0.55 * beam * (1 - 0.9 * mask) + lamp, 0, 1)
        picture += (rgb("#fff3c4") - picture) * glow[..., None]

    def _make_vignette(self) -> Field:
        across = self._across / self._width - 0.5
        down = self._down / self._height - 0.5
        return np.asarray(1.03 - 0.5 * (across**2 + down**2) ** 1.2, np.float32)[..., None]

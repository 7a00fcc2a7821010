"""Ridges one behind the other, paler the farther away: hills, woods, mountains, dunes."""

import math
from collections.abc import Iterator

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import NEAR_SPEED, Layer, Picture, Stage
from genpulse.providers.sandbox.pictures.landscape.ground_colour import ground_colour
from genpulse.providers.sandbox.pictures.landscape.plants import Plants
from genpulse.providers.sandbox.pictures.noise import Field, field, line, step
from genpulse.providers.sandbox.pictures.palette import mix, rgb
from genpulse.providers.sandbox.pictures.scene import Place

_SNOWY = frozenset({"snow", "night", "dawn", "sunset", "day", "dream", "spring"})


def ridges(stage: Stage) -> Iterator[Layer]:
    """The farthest first."""
    place, water = stage.scene.place, stage.scene.water
    count = 3 if water else 5
    for number in range(count - 1 if water else count):
        depth = number / (count - 1)
        if place is Place.MOUNTAINS and depth < 0.55:
            yield mountains(stage, number, depth)
        elif place is Place.DESERT:
            yield dunes(stage, number, depth)
        else:
            yield hills(stage, number, depth)


def shore(stage: Stage) -> Layer:
    """What the painter stands on, with grass."""
    return hills(stage, 9, 1.12 if stage.scene.water else 1.0, wooded=False)


def hills(stage: Stage, number: int, depth: float, *, wooded: bool = True) -> Layer:
    """Soft, and wooded where the scene is a forest."""
    shape = line(stage.dice, "hills", number, stage.places * (2.6 - 1.3 * depth) + 3 * number, 7, 0.44)
    tall = stage.unit * (0.2 - 0.08 * depth)
    top = _base(stage, depth) - shape * tall
    start = _start(top, stage.unit * 0.2)
    plants = Plants(stage, stage.height - start, depth)
    if wooded and depth > 0.2 and stage.scene.place in (Place.FOREST, Place.MOUNTAINS):
        plants.wood(top - start, number)
    elif depth > 0.8 and stage.palette.name != "fire":
        plants.meadow(top - start, number)
    return _layer(stage, number, depth, top, start, plants)


def mountains(stage: Stage, number: int, depth: float) -> Layer:
    """Steep, their faces lit from the side of the light, with snow on top."""
    at = stage.places * (1.7 - 0.3 * depth) + 5 * number
    shape = line(stage.dice, "peaks", number, at, 8, 0.5)
    crest = 1 - np.abs(2 * line(stage.dice, "crest", number, at * 1.3, 4, 0.4) - 1)
    tall = stage.unit * (0.62 - 0.3 * depth)
    top = np.asarray(_base(stage, depth) - tall * (0.6 * shape + 0.55 * crest**1.4 - 0.22), np.float32)
    start = _start(top, 2)
    rows = np.arange(start, stage.height, dtype=np.float32)[:, None]
    below = np.clip(rows - top[None, :], 0, None)
    rough = field(stage.dice, f"rock{number}", rows.shape[0], stage.wide, 14 * rows.shape[0] / stage.unit, 5)
    lit = _faces(stage, top, below, rough)
    high = (below + (top - float(top.min())) * 0.55) / tall + (rough - 0.5) * 0.5 - 0.12 * lit
    colour = _ground(stage, depth, rows, stage.wide)
    light = rgb(stage.palette.light)
    dark = mix(rgb(stage.palette.far), rgb(stage.palette.near), 0.25 + 0.35 * depth)
    colour += (dark - colour) * ((1 - lit) * (0.3 + 0.3 * depth))[..., None]
    colour += (light - colour) * (lit * 0.16)[..., None]
    if stage.palette.name in _SNOWY:
        snow = step(0.34, 0.22, high)
        white = mix(rgb(stage.palette.horizon), light, 0.6)
        blue = mix(mix(rgb(stage.palette.far), rgb(stage.palette.horizon), 0.4), rgb("#ffffff"), 0.12)
        colour += (blue + (white - blue) * lit[..., None] - colour) * (snow * 0.85)[..., None]
    _mist(stage, colour, depth, rows)
    cover = np.clip(rows - top[None, :] + 0.5, 0, 1)
    return Layer(start, colour, np.asarray(cover, np.float32), 0.15 + 0.5 * depth)


def _faces(stage: Stage, top: Field, below: Field, rough: Field) -> Field:
    """1 where a face of the mountain looks to the light: folds run down from the peaks."""
    columns = np.arange(stage.wide, dtype=np.int32)[None, :]
    reach = (below * 0.42 + stage.unit * 0.012).astype(np.int32)
    wander = ((rough - 0.5) * (below * 0.9 + 4)).astype(np.int32)
    left = top[np.clip(columns + wander - reach, 0, stage.wide - 1)]
    right = top[np.clip(columns + wander + reach, 0, stage.wide - 1)]
    slope = (left - right) / (2 * reach + 1)
    towards = 1.0 if stage.scene.light_x > 0.5 else -1.0
    return step(-0.22, 0.22, np.asarray(-towards * slope + (rough - 0.5) * 0.35, np.float32))


def dunes(stage: Stage, number: int, depth: float) -> Layer:
    """Sharp crests; one side in the sun, the other in shade."""
    at = stage.places * (1.5 - 0.7 * depth) + 4 * number
    wave = np.mod(at + 0.35 * line(stage.dice, "drift", number, at * 0.8, 3, 0.4), 1.0)
    crest = np.where(wave < 0.68, (wave / 0.68) ** 1.7, ((1 - wave) / 0.32) ** 1.25)
    vary = 0.45 + 0.55 * line(stage.dice, "dunes", number, at * 0.9 + 2, 3, 0.4)
    top = np.asarray(_base(stage, depth) - stage.unit * (0.2 - 0.06 * depth) * crest * vary, np.float32)
    start = _start(top, 2)
    rows = np.arange(start, stage.height, dtype=np.float32)[:, None]
    below = np.clip(rows - top[None, :], 0, None)
    edge = 0.68 + 0.10 * np.sin(below / stage.unit * 16 + number) * np.exp(-below / (stage.unit * 0.2))
    lean = below / stage.unit * 0.55
    shade = step(-0.02, 0.02, np.asarray(np.mod(wave + lean, 1.0) - edge, np.float32))
    shade *= np.exp(-below / (stage.unit * (0.1 + 0.15 * depth)))
    colour = _ground(stage, depth, rows, stage.wide)
    ripple = np.sin(below / stage.unit * 260 + 9 * np.sin(at * 7)[None, :]) * (0.012 * depth)
    dark = mix(rgb(stage.palette.near), rgb("#3b1f3d"), 0.45)
    colour += ((dark - colour) * (shade * (0.25 + 0.45 * depth))[..., None]) + ripple[..., None]
    colour += (rgb(stage.palette.light) - colour) * (np.exp(-below / (stage.unit * 0.03)) * 0.22)[..., None]
    _mist(stage, colour, depth, rows)
    return Layer(start, colour, np.asarray(np.clip(rows - top + 0.5, 0, 1), np.float32), 0.15 + 0.55 * depth)


def _layer(stage: Stage, number: int, depth: float, top: Field, start: int, plants: Plants) -> Layer:
    rows = np.arange(start, stage.height, dtype=np.float32)[:, None]
    colour = _ground(stage, depth, rows, stage.wide)
    below = np.clip(rows - top[None, :], 0, None)
    grain = field(stage.dice, f"soil{number}", rows.shape[0], stage.wide, 9, 4, stretch=2.5) - 0.5
    colour *= (1 + grain * 0.16 * (0.3 + depth))[..., None]
    columns = np.arange(stage.wide, dtype=np.float32)[None, :]
    near = np.exp(-(((columns - stage.light_x) / (0.32 * stage.unit)) ** 2))
    rim = np.exp(-below / (stage.unit * 0.011)) * near * (0.3 if stage.palette.clouds < 1 else 0.1)
    colour += (rgb(stage.palette.light) - colour) * rim[..., None]
    plants.paint(colour)
    _mist(stage, colour, depth, rows)
    ground = np.clip(rows - top[None, :] + 0.5, 0, 1)
    cover = np.maximum(ground, plants.cover())
    return Layer(start, colour, np.asarray(cover, np.float32), 0.15 + (NEAR_SPEED - 0.15) * min(depth, 1))


def _ground(stage: Stage, depth: float, rows: Field, wide: int) -> Picture:
    """The colour of the air in between, the farther the more; warm under the sun."""
    colour = ground_colour(stage, depth)
    picture = np.repeat(np.broadcast_to(colour, (rows.shape[0], 1, 3)), wide, 1).astype(np.float32)
    columns = np.arange(wide, dtype=np.float32)[None, :]
    glow = np.exp(-np.abs(columns - stage.light_x) / (0.4 * stage.unit)) * 0.34 * max(1 - depth, 0) ** 1.2
    picture += (rgb(stage.palette.light) - picture) * glow[..., None]
    return picture


def _mist(stage: Stage, colour: Picture, depth: float, rows: Field) -> None:
    """Lies in the valleys."""
    foot = _base(stage, depth) + stage.unit * 0.05
    thick = step(-0.2, 0.06, np.asarray((rows - foot) / stage.unit, np.float32)) * 0.6 * max(1 - depth, 0) ** 1.1
    haze = mix(rgb(stage.palette.horizon), rgb(stage.palette.far), 0.35)
    colour += (haze - colour) * thick[..., None]


def _base(stage: Stage, depth: float) -> float:
    """The row that a ridge of this depth stands on."""
    return stage.horizon + stage.height * (0.015 + 0.27 * math.pow(depth, 1.4))


def _start(top: Field, margin: float) -> int:
    return max(int(top.min() - margin), 0)

"""Colours: which ones a prompt asks for, and how they are mixed without turning grey."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genpulse.providers.sandbox.pictures.noise import Dice
from genpulse.providers.sandbox.vocabulary import any_of

Colour = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Palette:
    """The sky from its top to the horizon, its light, the land far and near, the water; in hexadecimal.

    `sun` is how high the sun or moon stands above the horizon and `clouds` how much of the sky they cover,
    both from 0 to 1. `dim` is how much of what stands in front is only a shape against the light.
    """

    name: str
    top: str
    middle: str
    horizon: str
    light: str
    far: str
    near: str
    water: str
    sun: float = 0.3
    clouds: float = 0.5
    stars: float = 0.0
    moon: bool = False
    dim: float = 0.35
    foliage: tuple[str, ...] = ("#35553a", "#44683f", "#28442f")


DAWN = Palette(
    "dawn", "#29386b", "#b5678f", "#ffcf9c", "#fff0c4", "#b88a9f", "#211c3a", "#6d5a86", sun=0.225, dim=0.22
)
SUNSET = Palette(
    "sunset", "#241a4b", "#bb4460", "#ffb15a", "#ffe7a3", "#a1506b", "#1c1029", "#5a2f55", sun=0.22, dim=0.45
)
DAY = Palette(
    "day", "#2672bd", "#82bfe8", "#e6f2f1", "#fffbe6", "#8fb2c4", "#1f4733", "#3a86a8", sun=0.66, dim=0.1
)
NIGHT = Palette(
    "night", "#050a1f", "#13234e", "#3a5088", "#e9efff", "#2b3d68", "#050914", "#101d3d",
    sun=0.66, clouds=0.3, stars=1.0, moon=True, dim=0.62, foliage=("#0d1a26", "#11212b", "#0a141f"),
)  # fmt: skip
STORM = Palette(
    "storm", "#171d27", "#3a4453", "#8a929a", "#dfe6ea", "#56616d", "#10161c", "#27323d",
    sun=0.5, clouds=1.0, dim=0.4,
)  # fmt: skip
AUTUMN = Palette(
    "autumn", "#4f86b0", "#bfcdcf", "#f9e3b4", "#fff4d6", "#c7a06c", "#43200f", "#6f8a8c", sun=0.45, clouds=0.55,
    dim=0.15, foliage=("#c8591c", "#e09a2b", "#a8391a", "#d9741f", "#8f2f17"),
)  # fmt: skip
SNOW = Palette(
    "snow", "#44689a", "#9fbddb", "#f6efe9", "#fff8ec", "#b4c8de", "#dbe7f3", "#7fa3c2", sun=0.3, dim=0.2,
    foliage=("#3d5468", "#4d667a", "#2e4356"),
)  # fmt: skip
DESERT = Palette(
    "desert", "#3769a8", "#e3b98d", "#ffe4b0", "#fff3cf", "#e0ad74", "#a4521f", "#b98b5e",
    sun=0.4, clouds=0.2, dim=0.2, foliage=("#5c6b32", "#46572c"),
)  # fmt: skip
FIRE = Palette(
    "fire", "#140506", "#6b130c", "#ff7a1f", "#ffe08a", "#6f1d10", "#120404", "#3a0d08",
    sun=0.24, clouds=0.9, dim=0.7, foliage=("#1c0a08", "#240d09"),
)  # fmt: skip
DEEP = Palette(
    "deep", "#8ce0da", "#1c82a6", "#08315c", "#dcfff5", "#12557f", "#03182f", "#062a4f", sun=0.95, dim=0.35
)
SPRING = Palette(
    "spring", "#4d9fd6", "#aedcea", "#fbf1e2", "#fffde8", "#a3c8a2", "#2f6a35", "#63adbb", sun=0.55, clouds=0.45,
    dim=0.08, foliage=("#f2b7c6", "#e58fab", "#f8d3da", "#d9779a"),
)  # fmt: skip
DREAM = Palette(
    "dream", "#24175f", "#7d48ea", "#ff9ee2", "#fff0fb", "#9a63d6", "#1c0f3f", "#4b2f99",
    sun=0.34, clouds=0.6, stars=0.6, moon=True, dim=0.4, foliage=("#5b2fa0", "#7a3fc0", "#3a1f78"),
)  # fmt: skip

_WORDS: tuple[tuple[Palette, frozenset[str]], ...] = (
    (DEEP, any_of("underwater deep reef coral submarine whale dolphin fish jellyfish abyss")),
    (NIGHT, any_of("night star starry stars moon moonlight midnight space galaxy milky cosmos aurora")),
    (STORM, any_of("storm stormy rain rainy thunder lightning grey gray gloomy tempest")),
    (DAWN, any_of("dawn sunrise morning early daybreak misty mist fog")),
    (SUNSET, any_of("sunset dusk evening twilight golden")),
    (FIRE, any_of("fire volcano lava inferno burning flame dragon hell mars")),
    (SNOW, any_of("snow snowy winter ice icy arctic frost frozen antarctic")),
    (AUTUMN, any_of("autumn fall october november leaves")),
    (DESERT, any_of("desert dune sahara canyon cactus camel sand")),
    (SPRING, any_of("spring meadow flower blossom cherry april may garden")),
    (DREAM, any_of("dream magic magical surreal neon electric fantasy cyber wonder")),
    (DAY, any_of("day noon summer sunny blue afternoon sky")),
)
_ANY = (DAWN, SUNSET, DAY, NIGHT, AUTUMN, SPRING, DREAM)


def choose(words: Collection[str], dice: Dice) -> Palette:
    """By the words, the most telling first; by chance when none is known."""
    palettes = [palette for palette, known in _WORDS if not known.isdisjoint(words)]
    if not palettes:
        return _ANY[int(dice("palette").integers(len(_ANY)))]
    first, others = palettes[0], palettes[1:]
    if first is NIGHT and STORM in others:
        return replace(NIGHT, top="#060a14", middle="#16233a", horizon="#3b4f6d", stars=0.12, clouds=1.0)
    if first is NIGHT and SNOW in others:
        return replace(NIGHT, near="#7089b8", far="#3f5787", horizon="#44609c")
    if first is DEEP and NIGHT in others:
        return replace(DEEP, top="#2b6f8f", middle="#0c3b63", horizon="#041730")
    for seasonal in (AUTUMN, SPRING, SNOW):
        if seasonal in others and first in (DAWN, SUNSET, STORM):
            return replace(first, foliage=seasonal.foliage)
    return first


def rgb(colour: str) -> Colour:
    """Red, green and blue from 0 to 1."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Between two colours as the eye sees it: 0 is the one, 1 the other."""
    return _from_oklab(_to_oklab(one) * np.float32(1 - share) + _to_oklab(other) * np.float32(share))


def gradient(stops: tuple[str, str, str], places: NDArray[np.floating]) -> Colour:
    """A smooth run through three colours, one row a place from 0 to 1; no edge shows at the middle one."""
    first, second, third = (_to_oklab(rgb(stop)) for stop in stops)
    # The middle colour is only neared by a curve of this form, so it is pushed out to be met half-way.
    control = 2 * second - (first + third) / 2
    control = control * np.float32(0.6) + second * np.float32(0.4)
    share = np.asarray(places, np.float32)[..., None]
    return _from_oklab((1 - share) ** 2 * first + 2 * share * (1 - share) * control + share**2 * third)


_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]], np.float32,
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]], np.float32,
)  # fmt: skip


def _to_oklab(colour: Colour) -> Colour:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T, np.float32)


def _from_oklab(lab: Colour) -> Colour:
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0, 1)
    colour = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(colour, np.float32)

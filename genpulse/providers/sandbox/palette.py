"""Which colours a prompt asks for."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as red, green, blue in hexadecimal: the sky from its top to the horizon, its light, the land."""

    top: str
    middle: str
    horizon: str
    light: str
    far: str
    near: str
    water: str
    stars: float = 0.0
    sun: float = 0.30
    """How high the sun or moon stands above the horizon, as a share of the sky."""
    moon: bool = False
    clouds: float = 0.5


DAWN = Palette("#2b3a67", "#b5648c", "#ffcf9c", "#fff1c9", "#b98aa0", "#1f1d36", "#6d5a86", sun=0.12)
SUNSET = Palette("#241a4b", "#c2455f", "#ffb35c", "#ffe7a3", "#a1506b", "#1a1027", "#5a2f55", sun=0.10)
DAY = Palette("#2f7fc4", "#8cc4ea", "#eaf3f2", "#fffbe6", "#9db9c9", "#20402f", "#3f88a8", sun=0.62)
NIGHT = Palette(
    "#050a1f", "#13224a", "#33487c", "#e9efff", "#27375f", "#03060f", "#101d3d", 1.0, 0.6, moon=True, clouds=0.3
)
STORM = Palette("#171d27", "#3a4453", "#8a929a", "#dfe6ea", "#515c68", "#0d1218", "#27323d", sun=0.5, clouds=1.0)
AUTUMN = Palette("#5d8fb4", "#c9d3c2", "#f7e2b2", "#fff4d6", "#c99a5b", "#4a1d12", "#7d8f83", sun=0.42)
SNOW = Palette("#4c6f9c", "#a9c3dc", "#f3f1ee", "#fffaf0", "#c4d4e4", "#e9f1f8", "#8fb0c9", sun=0.35)
DESERT = Palette(
    "#3b6ea8", "#e9c39b", "#ffe6b8", "#fff3cf", "#d9a066", "#8a3f1c", "#b98b5e", sun=0.45, clouds=0.15
)
FIRE = Palette("#160506", "#6b120c", "#ff7a1f", "#ffe08a", "#6f1d10", "#120404", "#3a0d08", sun=0.16, clouds=0.9)
DEEP = Palette("#7fd6d8", "#1c7fa3", "#0b3f70", "#d9fff4", "#0d4a78", "#03162e", "#062a4f", sun=0.95, clouds=0.0)
SPRING = Palette("#57a5d8", "#b8e0ea", "#f9f0e3", "#fffde8", "#a9c9a4", "#2c5e33", "#6fb3bd", sun=0.55, clouds=0.4)
DREAM = Palette(
    "#2d1b69", "#8a4fff", "#ff9ee2", "#fff0fb", "#9a63d6", "#1c0f3f", "#4b2f99", 0.5, 0.3, moon=True, clouds=0.6
)

_WORDS: tuple[tuple[Palette, tuple[str, ...]], ...] = (
    (DEEP, ("underwater", "deep", "whale", "reef")),
    (NIGHT, ("night", "stars", "moon", "midnight", "space", "galaxy")),
    (STORM, ("storm", "rain", "thunder", "grey", "gloomy")),
    (DAWN, ("dawn", "sunrise", "morning", "early")),
    (SUNSET, ("sunset", "dusk", "evening", "twilight")),
    (FIRE, ("fire", "volcano", "lava", "inferno")),
    (SNOW, ("snow", "snowy", "winter", "ice", "arctic")),
    (AUTUMN, ("autumn", "fall", "october")),
    (DESERT, ("desert", "dunes", "sahara", "canyon")),
    (SPRING, ("spring", "meadow", "flowers")),
    (DREAM, ("dream", "dreams", "magic", "surreal", "neon", "electric")),
    (DAY, ("day", "noon", "summer", "sunny", "blue")),
)
_ANY = (DAWN, SUNSET, DAY, NIGHT, AUTUMN, SPRING, DREAM)


def choose(words: set[str], random: np.random.Generator) -> Palette:
    """By the words, the most telling first; by chance when none is known."""
    chosen = [palette for palette, known in _WORDS if words & set(known)]
    fallback = _ANY[int(random.integers(len(_ANY)))]
    palette = chosen[0] if chosen else fallback
    if palette is STORM and NIGHT in chosen:
        return replace(NIGHT, top="#04070f", middle="#101a2b", horizon="#2a3a52", stars=0.0, clouds=1.0)
    if palette is NIGHT and STORM in chosen:
        return replace(NIGHT, top="#060a14", middle="#162235", horizon="#34465f", stars=0.15, clouds=1.0)
    if palette is NIGHT and SNOW in chosen:
        return replace(NIGHT, near="#8ea6cc", far="#42598c")
    return palette


def rgb(colour: str) -> Colour:
    """Red, green and blue from 0 to 1."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Between two colours: 0 is the one, 1 the other."""
    return np.asarray(one * (1 - share) + other * share, np.float32)

"""How large a picture is to be, in the forms in which models say it."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from genpulse.domain.json.value import JsonObject, JsonValue

SIZE_FIELDS = frozenset({"width", "height", "size", "image_size", "resolution", "aspect_ratio"})
"""Fields in which a size may stand: in two numbers, as `1024x768`, as an object, or as a ratio such as `4:3`."""

_PIXELS = re.compile(r"(\d{1,5})\s*[xX*]\s*(\d{1,5})")
_RATIO = re.compile(r"(\d{1,4})\s*[:/]\s*(\d{1,4})")
_AREA = 1024 * 1024
_GRID = 64
"""Sides that are computed from a ratio are multiples of it: models refuse others, or round them."""


@dataclass(frozen=True, slots=True)
class WrittenSize:
    """A size in the form of a model. `lost` are fields of the order of which only the shape is left."""

    input: JsonObject
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Width to height, in pixels where `is_exact`, else only as a ratio. The order said it in `said_in`."""

    width: int
    height: int
    is_exact: bool
    said_in: tuple[str, ...]

    def written_for(self, names: Collection[str]) -> WrittenSize | None:
        """The same in the fields that a model has; None where it has none that fits.

        A model that takes a ratio alone keeps the shape and loses the number of pixels. One that takes pixels
        alone gets about a million of them in the ratio that is wanted.
        """
        if not self.is_exact and "aspect_ratio" in names:
            return WrittenSize({"aspect_ratio": self.ratio})
        width, height = (self.width, self.height) if self.is_exact else self._usual()
        if {"width", "height"} <= set(names):
            return WrittenSize({"width": width, "height": height})
        if "size" in names:
            return WrittenSize({"size": f"{width}x{height}"})
        if "image_size" in names:
            return WrittenSize({"image_size": {"width": width, "height": height}})
        if "aspect_ratio" in names:
            return WrittenSize({"aspect_ratio": self.ratio}, self.said_in)
        return None

    @property
    def ratio(self) -> str:
        """In the smallest whole numbers, such as `4:3`."""
        divisor = math.gcd(self.width, self.height)
        return f"{self.width // divisor}:{self.height // divisor}"

    def _usual(self) -> tuple[int, int]:
        height = math.sqrt(_AREA * self.height / self.width)
        width = height * self.width / self.height
        return _on_grid(width), _on_grid(height)


def _on_grid(side: float) -> int:
    return max(_GRID, round(side / _GRID) * _GRID)


NAMED_SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "square_hd": (1024, 1024),
        "square": (512, 512),
        "portrait_4_3": (768, 1024),
        "portrait_16_9": (576, 1024),
        "landscape_4_3": (1024, 768),
        "landscape_16_9": (1024, 576),
    }
)
"""Words for sizes in pixels. Source: fal's `image_size`, https://fal.ai/models/fal-ai/flux/schnell/api."""


def size_of(document: Mapping[str, JsonValue]) -> PictureSize | None:
    """The size that an input asks for; None where it asks for none, or in a way that nobody here can read."""
    width, height = document.get("width"), document.get("height")
    if _is_side(width) and _is_side(height):
        return _exact(width, height, ("width", "height"))  # type: ignore[arg-type]
    for name in ("size", "image_size", "resolution"):
        if found := _pixels(document.get(name)):
            return _exact(*found, (name,))
    if ratio := _matched(_RATIO, document.get("aspect_ratio")):
        return PictureSize(*ratio, is_exact=False, said_in=("aspect_ratio",))
    return None


def _exact(width: int, height: int, said_in: tuple[str, ...]) -> PictureSize:
    return PictureSize(width, height, is_exact=True, said_in=said_in)


def _pixels(value: JsonValue) -> tuple[int, int] | None:
    if isinstance(value, dict):
        width, height = value.get("width"), value.get("height")
        return (width, height) if _is_side(width) and _is_side(height) else None  # type: ignore[return-value]
    if isinstance(value, str) and value in NAMED_SIZES:
        return NAMED_SIZES[value]
    return _matched(_PIXELS, value)


def _matched(pattern: re.Pattern[str], value: JsonValue) -> tuple[int, int] | None:
    match = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    return sides if all(sides) else None


def _is_side(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000

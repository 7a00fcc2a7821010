"""Silhouettes: what stands in front of a landscape."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Mask = NDArray[np.float32]
Point = tuple[float, float, int]
"""Across and down, from 0 to 1, and 1 where the outline has a corner."""

FOX: tuple[Point, ...] = (
    (0.930, 0.330, 1), (0.850, 0.268, 0), (0.800, 0.225, 1), (0.800, 0.055, 1), (0.735, 0.160, 1),
    (0.690, 0.020, 1), (0.655, 0.200, 1), (0.600, 0.300, 0), (0.520, 0.400, 0), (0.440, 0.520, 0),
    (0.385, 0.660, 0), (0.350, 0.790, 0), (0.300, 0.815, 0), (0.210, 0.760, 0), (0.120, 0.730, 0),
    (0.035, 0.780, 0), (0.000, 0.900, 1), (0.060, 0.885, 0), (0.120, 0.945, 0), (0.230, 0.985, 0),
    (0.360, 0.990, 0), (0.520, 0.990, 1), (0.575, 0.965, 0), (0.560, 0.935, 0), (0.610, 0.830, 0),
    (0.625, 0.760, 1), (0.640, 0.880, 0), (0.635, 0.990, 1), (0.730, 0.990, 1), (0.725, 0.955, 0),
    (0.695, 0.930, 0), (0.715, 0.780, 0), (0.735, 0.640, 0), (0.745, 0.520, 0), (0.765, 0.450, 0),
    (0.830, 0.420, 0), (0.890, 0.385, 0),
)  # fmt: skip
WHALE: tuple[Point, ...] = (
    (0.010, 0.430, 0), (0.060, 0.300, 0), (0.200, 0.205, 0), (0.400, 0.180, 0), (0.580, 0.230, 0),
    (0.610, 0.185, 1), (0.660, 0.250, 0), (0.780, 0.330, 0), (0.870, 0.345, 0), (0.920, 0.250, 0),
    (1.000, 0.170, 1), (0.960, 0.330, 0), (1.000, 0.500, 1), (0.905, 0.430, 0), (0.820, 0.440, 0),
    (0.700, 0.500, 0), (0.560, 0.570, 0), (0.430, 0.610, 0), (0.470, 0.760, 0), (0.520, 0.850, 1),
    (0.400, 0.780, 0), (0.310, 0.635, 0), (0.160, 0.600, 0), (0.050, 0.540, 0),
)  # fmt: skip
BOAT: tuple[Point, ...] = (
    (0.020, 0.800, 1), (0.980, 0.780, 1), (0.860, 0.950, 0), (0.800, 0.980, 1), (0.220, 0.980, 1),
    (0.120, 0.950, 0),
)  # fmt: skip
SAIL: tuple[Point, ...] = ((0.500, 0.020, 1), (0.700, 0.400, 0), (0.930, 0.720, 1), (0.500, 0.740, 1))
JIB: tuple[Point, ...] = ((0.460, 0.100, 1), (0.300, 0.480, 0), (0.100, 0.740, 1), (0.460, 0.740, 1))
LIGHTHOUSE: tuple[Point, ...] = (
    (0.380, 1.000, 1), (0.430, 0.240, 1), (0.395, 0.240, 1), (0.395, 0.205, 1), (0.440, 0.205, 1),
    (0.440, 0.110, 1), (0.420, 0.110, 1), (0.500, 0.030, 1), (0.580, 0.110, 1), (0.560, 0.110, 1),
    (0.560, 0.205, 1), (0.605, 0.205, 1), (0.605, 0.240, 1), (0.570, 0.240, 1), (0.620, 1.000, 1),
)  # fmt: skip
HOUSE: tuple[Point, ...] = (
    (0.080, 1.000, 1), (0.080, 0.520, 1), (0.000, 0.540, 1), (0.420, 0.160, 1), (0.640, 0.360, 1),
    (0.640, 0.180, 1), (0.740, 0.180, 1), (0.740, 0.450, 1), (0.840, 0.540, 1), (0.760, 0.520, 1),
    (0.760, 1.000, 1),
)  # fmt: skip
TREE: tuple[Point, ...] = (
    (0.460, 1.000, 1), (0.470, 0.700, 0), (0.300, 0.690, 0), (0.110, 0.600, 0), (0.090, 0.420, 0),
    (0.200, 0.300, 0), (0.250, 0.130, 0), (0.430, 0.020, 0), (0.620, 0.050, 0), (0.760, 0.180, 0),
    (0.890, 0.290, 0), (0.920, 0.480, 0), (0.830, 0.630, 0), (0.680, 0.680, 0), (0.540, 0.700, 0),
    (0.560, 1.000, 1),
)  # fmt: skip
BIRD: tuple[Point, ...] = (
    (0.000, 0.350, 1), (0.180, 0.180, 0), (0.350, 0.260, 0), (0.500, 0.520, 0), (0.650, 0.260, 0),
    (0.820, 0.180, 0), (1.000, 0.350, 1), (0.820, 0.310, 0), (0.660, 0.420, 0), (0.540, 0.680, 0),
    (0.460, 0.680, 0), (0.340, 0.420, 0), (0.180, 0.310, 0),
)  # fmt: skip

_SHARP = 3
_STEPS = 10


def outline(points: Sequence[Point]) -> NDArray[np.float32]:
    """A closed curve through all points: smooth, but for its corners."""
    places = np.array([point[:2] for point in points], dtype=np.float32)
    corners = np.array([point[2] for point in points], np.float32)[:, None]
    slopes = (np.roll(places, -1, 0) - np.roll(places, 1, 0)) / 2 * (1 - corners)
    share = np.linspace(0, 1, _STEPS, endpoint=False, dtype=np.float32)[:, None, None]
    ends, end_slopes = np.roll(places, -1, 0), np.roll(slopes, -1, 0)
    curve = (
        (2 * share**3 - 3 * share**2 + 1) * places
        + (share**3 - 2 * share**2 + share) * slopes
        + (3 * share**2 - 2 * share**3) * ends
        + (share**3 - share**2) * end_slopes
    )
    return np.asarray(curve.transpose(1, 0, 2).reshape(-1, 2), np.float32)


def drawn(height: int, width: int, shapes: Sequence[tuple[Sequence[Point], float, float, float]]) -> Mask:
    """A mask of shapes, each with the left and top of its box and its size, in pixels; edges are soft."""
    canvas = Image.new("L", (width * _SHARP, height * _SHARP))
    draw = ImageDraw.Draw(canvas)
    for points, left, top, size in shapes:
        places = (outline(points) * size + np.array([left, top], np.float32)) * _SHARP
        draw.polygon([(float(x), float(y)) for x, y in places], fill=255)
    small = canvas.resize((width, height), Image.Resampling.BOX)
    return np.asarray(np.asarray(small, np.float32) / 255, np.float32)

"""Smooth noise, the clay of all landscapes. The same dice give the same shapes at every size of picture."""

import math
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]


class Dice:
    """Random numbers by purpose: what one thing draws does not change what another one gets."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, purpose: str, number: int = 0) -> np.random.Generator:
        """Always the same one for the same purpose and number."""
        return np.random.default_rng([self._seed, zlib.crc32(purpose.encode()), number])


def field(
    dice: Dice, purpose: str, height: int, width: int, cells: float, octaves: int = 5, stretch: float = 1.0
) -> Field:
    """Noise between 0 and 1: `cells` bumps down the height, each octave twice as fine and half as strong.

    `stretch` makes the bumps so many times wider than high.
    """
    total = np.zeros((height, width), np.float32)
    strength = 1.0
    for octave in range(octaves):
        across, down = cells * width / height / stretch, cells
        columns = max(math.ceil(across), math.ceil(cells * 4)) + 3
        grid = dice(purpose, octave).random((math.ceil(down) + 3, columns), np.float32)
        box = (1.0, 1.0, 1.0 + across, 1.0 + down)
        picture = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC, box=box)
        total += strength * np.asarray(picture, np.float32)
        strength *= 0.5
        cells *= 2.0
        if cells > height:
            break
    return spread(total)


def line(dice: Dice, purpose: str, number: int, at: Field, octaves: int = 6, rough: float = 0.5) -> Field:
    """The same along a line, at the places `at`; a bump is 1 long."""
    total = np.zeros(at.shape, np.float32)
    strength, octave_at = 1.0, at
    for octave in range(octaves):
        knots = dice(purpose, number * 64 + octave).random(int(octave_at.max()) + 3).astype(np.float32)
        left = octave_at.astype(np.int64)
        share = octave_at - left
        share = share * share * (3 - 2 * share)
        total += strength * (knots[left] * (1 - share) + knots[left + 1] * share)
        strength *= rough
        octave_at = octave_at * np.float32(2.03)
    return np.asarray(total * (1 - rough) / (1 - rough**octaves), np.float32)


def sample(layer: Field, rows: NDArray[np.floating], columns: NDArray[np.floating]) -> Field:
    """The layer between its pixels; beyond its edges it is mirrored."""
    height, width = layer.shape
    row, column = _folded(rows, height), _folded(columns, width)
    up, left = row.astype(np.int32), column.astype(np.int32)
    down, right = np.minimum(up + 1, height - 1), np.minimum(left + 1, width - 1)
    low, aside = row - up, column - left
    above = layer[up, left] * (1 - aside) + layer[up, right] * aside
    below = layer[down, left] * (1 - aside) + layer[down, right] * aside
    return np.asarray(above * (1 - low) + below * low, np.float32)


def _folded(places: NDArray[np.floating], length: int) -> Field:
    last = max(length - 1, 1)
    inside = np.mod(places, 2 * last)
    return np.asarray(np.minimum(inside, 2 * last - inside).clip(0, length - 1), np.float32)


def spread(values: Field) -> Field:
    """Stretched to fill 0 to 1."""
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / max(high - low, 1e-6), np.float32)


def step(low: float, high: float, values: NDArray[np.floating]) -> Field:
    """From 0 at `low` to 1 at `high`, smoothly."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)

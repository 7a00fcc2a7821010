"""Smooth noise, the clay of all landscapes."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]


def field(random: np.random.Generator, height: int, width: int, cells: float, octaves: int = 5) -> Field:
    """Noise between 0 and 1: `cells` bumps across the width, each octave twice as fine and half as strong."""
    total = np.zeros((height, width), np.float32)
    strength = 1.0
    for _ in range(octaves):
        across = max(int(cells), 2)
        down = max(int(cells * height / width), 2)
        grid = random.random((down + 3, across + 3), np.float32)
        big = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += strength * np.asarray(big, np.float32)
        strength *= 0.5
        cells *= 2.0
        if cells > width / 2:
            break
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / max(high - low, 1e-6), np.float32)


def line(random: np.random.Generator, length: int, bumps: float, octaves: int = 6, rough: float = 0.5) -> Field:
    """The same along a line: the height of a ridge at each step."""
    total = np.zeros(length, np.float32)
    strength = 1.0
    at = np.linspace(0.0, 1.0, length, dtype=np.float32)
    for _ in range(octaves):
        count = max(int(bumps), 2)
        knots = random.random(count + 3).astype(np.float32)
        place = at * count
        left = place.astype(np.int64)
        share = place - left
        share = share * share * (3 - 2 * share)
        total += strength * (knots[left] * (1 - share) + knots[left + 1] * share)
        strength *= rough
        bumps *= 2.1
        if bumps > length / 3:
            break
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / max(high - low, 1e-6), np.float32)

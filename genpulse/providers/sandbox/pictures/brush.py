"""A picture painted anew in strokes, each of one colour."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from genpulse.providers.sandbox.pictures.noise import Dice
from genpulse.providers.sandbox.pictures.palette import choose, gradient
from genpulse.providers.sandbox.pictures.source import Colours
from genpulse.providers.sandbox.vocabulary import words_of

_SHADES = 256
_TINT = 0.45
_BRIGHTNESS = np.array([0.2126, 0.7152, 0.0722], np.float32)
_AROUND = tuple((down, across) for down in (-1, 0, 1) for across in (-1, 0, 1))


class Brush:
    """Paints one picture. The same colours, words and seed give the same pixels."""

    def __init__(self, source: Colours, prompt: str, seed: int) -> None:
        self._source = source
        self._words = words_of(prompt)
        self._dice = Dice(seed)

    def painted(self, strength: float, report: Callable[[float], None]) -> NDArray[np.uint8]:
        """The picture: `strength` 0 is the source, 1 broad strokes. `report` is told the share that is done."""
        strokes = self._strokes(strength, report)
        mixed = self._source + (self._tinted(strokes) - self._source) * np.float32(strength)
        return (np.clip(mixed, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)

    def _strokes(self, strength: float, report: Callable[[float], None]) -> Colours:
        """Each pixel in the colour of the nearest of many points that lie about at random."""
        height, width, _ = self._source.shape
        cell = 3 + strength * max(height, width) / 48
        rows, columns = int(height / cell) + 1, int(width / cell) + 1
        jitter = self._dice("strokes").random((rows, columns, 2), np.float32)
        downs = (np.arange(rows, dtype=np.float32)[:, None] + jitter[..., 0]) * np.float32(cell)
        acrosses = (np.arange(columns, dtype=np.float32)[None, :] + jitter[..., 1]) * np.float32(cell)
        down, across = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
        row, column = (down / cell).astype(np.int64), (across / cell).astype(np.int64)
        nearest = np.full((height, width), np.inf, np.float32)
        indices = np.zeros((height, width), np.int64)
        for number, (below, beside) in enumerate(_AROUND, 1):
            there = np.clip(row + below, 0, rows - 1), np.clip(column + beside, 0, columns - 1)
            distance = (downs[there] - down) ** 2 + (acrosses[there] - across) ** 2
            closer = distance < nearest
            nearest = np.where(closer, distance, nearest)
            indices = np.where(closer, there[0] * columns + there[1], indices)
            report(number / len(_AROUND))
        points = np.clip(downs, 0, height - 1).astype(np.int64), np.clip(acrosses, 0, width - 1).astype(np.int64)
        return np.asarray(self._source[points].reshape(-1, 3)[indices], np.float32)

    def _tinted(self, colours: Colours) -> Colours:
        """Nearer to the colours that the words name; as they are without words."""
        if not self._words:
            return colours
        palette = choose(self._words, self._dice)
        shades = gradient((palette.near, palette.middle, palette.light), np.linspace(0, 1, _SHADES))
        brightness = np.clip(colours @ _BRIGHTNESS, 0, 1)
        toned = shades[(brightness * (_SHADES - 1)).astype(np.int64)]
        return np.asarray(colours + (toned - colours) * np.float32(_TINT), np.float32)

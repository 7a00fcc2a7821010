"""What all painters of one picture share: its measures, its colours, its dice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genpulse.providers.sandbox.pictures.noise import Dice, Field
from genpulse.providers.sandbox.pictures.palette import Palette
from genpulse.providers.sandbox.pictures.scene import Scene

NEAR_SPEED = 0.75
"""How far the nearest ground moves, as a share of what layers have to spare."""

Picture = NDArray[np.float32]
"""Height, width, and red, green and blue from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`wide` is how wide layers are, in pixels: wider than the picture where they will move."""

    scene: Scene
    dice: Dice
    width: int
    height: int
    wide: int
    horizon: int

    @property
    def palette(self) -> Palette:
        """The scene's colours."""
        return self.scene.palette

    @property
    def spare(self) -> int:
        """How much wider layers are than the picture, in pixels."""
        return self.wide - self.width

    @property
    def unit(self) -> float:
        """What sizes are measured in, in pixels: the height, or less where the picture is narrow."""
        return min(self.height, self.width * 1.15)

    @property
    def light_x(self) -> float:
        """Where the sun or moon stands, in pixels."""
        return self.scene.light_x * self.width

    @property
    def across(self) -> Field:
        """The column of each pixel of the picture."""
        return np.arange(self.width, dtype=np.float32)[None, :]

    @property
    def down(self) -> Field:
        """The row of each pixel."""
        return np.arange(self.height, dtype=np.float32)[:, None]

    @property
    def places(self) -> Field:
        """The column of each pixel of a layer, in units."""
        return np.arange(self.wide, dtype=np.float32) / np.float32(self.unit)


class Layer:
    """Something in front of what was painted before. It moves sideways as time goes by."""

    def __init__(self, top: int, colour: Picture, cover: Field, speed: float) -> None:
        self._top, self._speed = top, speed
        self._paint = np.concatenate((colour * cover[..., None], cover[..., None]), -1).astype(np.float32)

    def add(self, picture: Picture, moment: float) -> None:
        """Paint it over the picture as it is at a moment from 0 to 1."""
        width = picture.shape[1]
        seen = shifted(self._paint, width, moment * self._speed)
        below = picture[self._top : self._top + seen.shape[0]]
        below *= 1 - seen[..., 3:]
        below += seen[..., :3]


def shifted(layer: NDArray[np.float32], width: int, share: float) -> NDArray[np.float32]:
    """So many columns of a layer, from a share of the way along what it has to spare."""
    spare = layer.shape[1] - width - 1
    if spare <= 0 or share <= 0:
        return layer[:, :width]
    place = min(share, 1.0) * spare
    left, between = int(place), np.float32(place - int(place))
    one = layer[:, left : left + width]
    return np.asarray(one + (layer[:, left + 1 : left + 1 + width] - one) * between, np.float32)

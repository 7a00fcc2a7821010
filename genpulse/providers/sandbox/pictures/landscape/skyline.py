"""A city: towers in rows, with lights in their windows."""

from collections.abc import Iterator

import numpy as np

from genpulse.providers.sandbox.pictures.canvas import Layer, Stage
from genpulse.providers.sandbox.pictures.landscape.ground_colour import ground_colour
from genpulse.providers.sandbox.pictures.landscape.trees import Cutter
from genpulse.providers.sandbox.pictures.palette import mix, rgb

_LAMPS = ("#ffd98a", "#ffc766", "#fff0c9", "#ffb46b")


def towers(stage: Stage) -> Iterator[Layer]:
    """The farthest row first."""
    for number, depth in enumerate((0.05, 0.3, 0.62)):
        yield _row(stage, number, depth)


def _row(stage: Stage, number: int, depth: float) -> Layer:
    random = stage.dice("towers", number)
    foot = stage.horizon + stage.unit * (0.03 + 0.06 * depth)
    top = max(int(foot - stage.unit * 0.62), 0)
    height = int(foot) - top if stage.scene.water else stage.height - top
    walls, windows = Cutter(height, stage.wide), Cutter(height, stage.wide)
    x = -0.05 * stage.unit
    while x < stage.wide:
        wide = stage.unit * float(random.uniform(0.035, 0.085)) * (0.75 + 0.55 * depth)
        middle = np.exp(-(((x / stage.wide - 0.5) / 0.33) ** 2))
        tall = stage.unit * (0.1 + 0.17 * float(random.random()) + 0.24 * float(random.random()) ** 2.5 * middle)
        _tower(random, walls, windows, (x, foot - top, wide, tall * (1.15 - 0.4 * depth)), stage.unit, depth)
        x += wide * float(random.uniform(0.8, 0.99))
    body = mix(ground_colour(stage, min(0.15 + depth, 0.8)), rgb(stage.palette.horizon), 0.25 * (1 - depth))
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    columns = np.arange(stage.wide, dtype=np.float32)[None, :]
    colour = np.repeat(np.broadcast_to(body, (height, 1, 3)), stage.wide, 1).astype(np.float32)
    glow = np.exp(-np.abs(columns - stage.light_x) / (0.3 * stage.unit)) * 0.35 * (1 - depth)
    haze = (rows**2 * 0.5 * (1 - depth)) + glow * (0.4 + 0.6 * rows)
    colour += (rgb(stage.palette.horizon) - colour) * np.clip(haze, 0, 1)[..., None]
    lamp = rgb(_LAMPS[number % len(_LAMPS)])
    bright = 0.25 if stage.palette.name in ("day", "spring", "snow", "autumn") else 0.85
    colour += (lamp - colour) * (windows.mask() * bright * (0.35 + 0.65 * depth))[..., None]
    return Layer(top, colour, walls.mask(), 0.12 + 0.5 * depth)


def _tower(
    random: np.random.Generator,
    walls: Cutter,
    windows: Cutter,
    box: tuple[float, float, float, float],
    unit: float,
    depth: float,
) -> None:
    """`box` is the left edge, the foot, the width and the height, in pixels."""
    x, foot, wide, tall = box
    top = foot - tall
    walls.polygon([(x, foot + unit), (x, top), (x + wide, top), (x + wide, foot + unit)])
    style = int(random.integers(5))
    if style == 0:
        walls.polygon([(x + wide * 0.46, top), (x + wide * 0.5, top - wide * 0.9), (x + wide * 0.54, top)])
    elif style == 1:
        inset = wide * 0.2
        walls.polygon([(x + inset, top), (x + inset, top - wide * 0.35), (x + wide - inset, top - wide * 0.35),
                       (x + wide - inset, top)])  # fmt: skip
    elif style == 2:
        walls.polygon([(x, top), (x + wide, top - wide * 0.4), (x + wide, top)])
    elif style == 3:
        walls.polygon([(x, top), (x + wide / 2, top - wide * 0.6), (x + wide, top)])
    _windows(random, windows, box, unit * (0.0095 + 0.004 * depth))


def _windows(
    random: np.random.Generator, windows: Cutter, box: tuple[float, float, float, float], gap: float
) -> None:
    x, foot, wide, tall = box
    across, down = max(int(wide / gap) - 1, 1), int((tall + wide) / (gap * 1.35))
    share = float(random.uniform(0.12, 0.5))
    lit = random.random((down, across))
    start = x + (wide - across * gap) / 2
    for row in range(down):
        for column in range(across):
            if lit[row, column] < share:
                left, top = start + (column + 0.22) * gap, foot - tall + (row + 0.7) * gap * 1.35
                right, low = left + gap * 0.56, top + gap * 0.7
                fill = 130 + int(125 * lit[row, column] / share)
                windows.polygon([(left, top), (right, top), (right, low), (left, low)], fill)

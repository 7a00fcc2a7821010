"""The colour that the land has at a distance."""

from genpulse.providers.sandbox.pictures.canvas import Stage
from genpulse.providers.sandbox.pictures.palette import Colour, mix, rgb


def ground_colour(stage: Stage, depth: float) -> Colour:
    """Between the haze at the horizon and the colour of the land that is near."""
    haze = mix(rgb(stage.palette.horizon), rgb(stage.palette.far), 0.55 + 0.45 * min(depth * 2, 1))
    return mix(haze, rgb(stage.palette.near), max(depth * 1.2 - 0.2, 0) ** 0.9)

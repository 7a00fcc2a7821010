"""The doors that an installation opens."""

from collections.abc import Callable, Mapping

from genpulse.api.door import Door
from genpulse.dialects.fal.door import fal_door
from genpulse.dialects.openai.door import openai_door
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.replicate.door import replicate_door

_DOORS: Mapping[str, Callable[[DialectOptions], Door]] = {
    "fal": fal_door,
    "replicate": replicate_door,
    "openai": openai_door,
}


def open_doors(options: DialectOptions) -> tuple[Door, ...]:
    """Those that are not switched off."""
    return tuple(make(options) for name, make in _DOORS.items() if name in options.opened)

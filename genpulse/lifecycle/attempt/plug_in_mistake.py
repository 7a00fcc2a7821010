"""What a plug-in raised that it does not declare, in words for its author."""

import sys
import traceback
from pathlib import Path
from types import FrameType

from genpulse.domain.text.storable import storable_line

LONGEST = 500
_OURS = "genpulse"


def described_mistake(error: Exception, engine: object) -> str:
    """The error's type and words, and the last line of the plug-in's own code that was reached.

    The plug-in is the package, or the module, in which the engine's class is written.
    """
    words = "".join(traceback.format_exception_only(error))
    said = storable_line(" ".join(words.split()), LONGEST)
    place = _place(error, _package_of(engine))
    return f"{said}; {place}" if place else said


def _package_of(engine: object) -> str:
    """The package at the top; that of the engine's module for our own plug-ins, which share the one at the top."""
    module = type(engine).__module__
    top = module.partition(".")[0]
    return top if top != _OURS else module.rpartition(".")[0]


def _place(error: Exception, package: str) -> str:
    lines = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if _is_in(frame, package)]
    if not lines:
        return ""
    frame, line = lines[-1]
    return f"{_file_of(frame, package)}, line {line}, in {frame.f_code.co_name}"


def _is_in(frame: FrameType, package: str) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name == package or name.startswith(f"{package}.")


def _file_of(frame: FrameType, package: str) -> str:
    """The file, from the package's folder on: `shout.py`, or `acme/films.py`."""
    path = Path(frame.f_code.co_filename)
    depth = str(frame.f_globals.get("__name__", "")).count(".") - package.count(".")
    is_package = path.name == "__init__.py"
    above = depth + is_package if package in sys.modules and hasattr(sys.modules[package], "__path__") else 0
    return "/".join(path.parts[-1 - above :])

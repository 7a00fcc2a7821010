"""Names of models and of their inputs."""

import re

from genpulse.provider import Input

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@:-]*")


def model_name(stem: str) -> str:
    """The name of the model that a file of this name is."""
    return stem.lower().replace(" ", "-")


def is_model_name(name: str) -> bool:
    """Whether a model can have this name."""
    return _MODEL.fullmatch(name) is not None


def is_input_name(name: str) -> bool:
    """Whether a model can have an input of this name, which must be none of something that every input has."""
    return name != "" and not name.startswith(("_", "model_")) and not hasattr(Input, name)

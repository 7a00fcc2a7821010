"""Ids of apps as fal's clients write them: `owner/alias`, perhaps with a path and a namespace before it."""

import re

from genpulse.domain.errors import UnknownModel

_NAMESPACES = frozenset({"workflows", "comfy"})
_LEGACY = re.compile(r"([0-9]+)-([a-zA-Z0-9-]+)")


def app_id(path: str) -> str:
    """The id of the app that a path names. Raises `UnknownModel` where it cannot be one."""
    legacy = _LEGACY.fullmatch(path)
    if legacy:
        return f"{legacy[1]}/{legacy[2]}"
    if not all(path.split("/")):
        raise UnknownModel(path)
    return path


def queue_path(app: str) -> str:
    """Where requests of the app are asked for: without the path behind its alias."""
    parts = app.split("/")
    return "/".join(parts[:3] if parts[0] in _NAMESPACES else parts[:2])

"""Paths as the routes see them."""

from starlette.types import Scope

_INNER_PATH = "genpulse.path"


def inner_path(scope: Scope) -> str:
    """The path without the prefix under which a proxy has put this service."""
    path: str | None = scope.get(_INNER_PATH)
    if path is None:
        path = scope[_INNER_PATH] = _without_prefix(scope["path"], scope.get("root_path", ""))
    return path


def _without_prefix(path: str, prefix: str) -> str:
    return path[len(prefix) :] if prefix and path.startswith(f"{prefix}/") else path

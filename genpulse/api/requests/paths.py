"""Paths as the routes see them."""

from starlette.types import Scope

_INNER_PATH = "genpulse.path"


def forget_inner_path(scope: Scope) -> None:
    """The path of the scope was changed."""
    scope.pop(_INNER_PATH, None)


def inner_path(scope: Scope) -> str:
    """The path without the prefix under which a proxy has put this service."""
    cached: str | None = scope.get(_INNER_PATH)
    if cached is not None:
        return cached
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    inner = scope[_INNER_PATH] = path[len(prefix) :] if prefix and path.startswith(f"{prefix}/") else path
    return inner

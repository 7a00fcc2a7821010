"""Paths as the routes see them."""

from starlette.types import Scope


def inner_path(scope: Scope) -> str:
    """The path without the prefix under which a proxy has put this service."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path

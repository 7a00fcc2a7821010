"""The merge check as one file: `genpulse.branching.standalone` with what it imports, as a zip that Python runs."""

import ast
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.abc import InspectLoader

_PRODUCT = "genpulse"
_ENTRY = f"{_PRODUCT}.branching.standalone"
_MAIN = """\
# Written by `genpulse flow install`: the gate of the branching model, genpulse {version}.
import sys

if sys.version_info < (3, 11):
    sys.exit("flow: Python 3.11 or newer is needed, and this is %d.%d." % sys.version_info[:2])
if sys.argv[1:] == ["--version"]:  # a hook asks it before each push, whether the file can be run at all
    sys.exit(print("genpulse flow {version}"))

from {entry} import main

sys.exit(main(sys.argv[1:], "{version}"))
"""
_SHEBANG = b"#!/usr/bin/env python3\n"
_ONCE = (1980, 1, 1, 0, 0, 0)
"""Every member has this date and is stored as it is, so that one version gives the same bytes everywhere."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of ours: where it lies in the file, and its source."""

    name: str
    path: str
    source: str

    @property
    def imports(self) -> Iterator[str]:
        """What it may import of ours, at any place, and the packages that it lies in."""
        parts = self.name.split(".")
        yield from (".".join(parts[:depth]) for depth in range(1, len(parts)))
        for node in ast.walk(ast.parse(self.source)):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (node.module, *(f"{node.module}.{each.name}" for each in node.names))


@cache
def packed(version: str) -> bytes:
    """The file, made of the code that runs here; `version` is what it says of itself."""
    sources = {module.path: module.source for module in _closure()}
    sources["__main__.py"] = _MAIN.format(version=version, entry=_ENTRY)
    buffer = io.BytesIO()
    buffer.write(_SHEBANG)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(sources):
            member = zipfile.ZipInfo(path, _ONCE)
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, sources[path].encode())
    return buffer.getvalue()


def digest(content: bytes) -> str:
    """SHA-256, as `sha256sum` writes it."""
    return hashlib.sha256(content).hexdigest()


def _closure() -> Iterator[_Module]:
    seen, waiting = {_ENTRY}, [_ENTRY]
    while waiting:
        module = _module(waiting.pop())
        if module is None:
            continue
        yield module
        for name in module.imports:
            if name not in seen and name.partition(".")[0] == _PRODUCT:
                seen.add(name)
                waiting.append(name)


def _module(name: str) -> _Module | None:
    """None for a name inside a module."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    loader = spec.loader if spec else None
    source = loader.get_source(name) if isinstance(loader, InspectLoader) else None
    if spec is None or source is None:
        return None
    inside = "/__init__" if spec.submodule_search_locations is not None else ""
    return _Module(name, f"{name.replace('.', '/')}{inside}.py", source)

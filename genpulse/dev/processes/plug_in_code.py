"""The code of plug-ins that somebody writes on this machine."""

import sysconfig
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

_OURS = "genpulse"
_COPIES = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class PlugInCode:
    """Where it lies: `packages` with all below them, and folders in which `modules` lie side by side."""

    packages: tuple[Path, ...] = ()
    modules: tuple[Path, ...] = ()


def plug_in_code(groups: Collection[str], entries: Iterable[EntryPoint] | None = None) -> PlugInCode:
    """The code behind the entry points of these groups, unless it was installed as a copy.

    So an editable package counts, and one on PYTHONPATH. None of it is imported.
    """
    found = entries if entries is not None else [entry for group in groups for entry in entry_points(group=group)]
    names = sorted({entry.module.partition(".")[0] for entry in found} - {_OURS})
    specs = [spec for name in names if (spec := _spec(name)) is not None]
    packages = {path for spec in specs for path in _packages(spec)}
    modules = {Path(spec.origin).resolve().parent for spec in specs if _is_module(spec) and spec.origin}
    return PlugInCode(*(tuple(sorted(_own(paths))) for paths in (packages, modules)))


def _spec(name: str) -> ModuleSpec | None:
    """Of what is installed no longer there is none, and odd finders raise whatever they like."""
    try:
        return find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None


def _packages(spec: ModuleSpec) -> list[Path]:
    return [Path(place).resolve() for place in spec.submodule_search_locations or ()]


def _is_module(spec: ModuleSpec) -> bool:
    return spec.submodule_search_locations is None and spec.has_location


def _own(paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if path.is_dir() and not _is_copy(path))


def _is_copy(path: Path) -> bool:
    """Whether an installer has put it there, or it belongs to Python itself."""
    library = Path(sysconfig.get_path("stdlib")).resolve()
    return not _COPIES.isdisjoint(path.parts) or path.is_relative_to(library)

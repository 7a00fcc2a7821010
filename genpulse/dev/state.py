"""The state file of a running stack: `.genpulse/dev.json`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

CA_VARIABLE = "SSL_CERT_FILE"
"""By which clients in Python are told whom to trust."""
_FILE = "dev.json"
_CLOCK_S = 2.0  # the system derives a process's birth from its clock, which may be set while it runs


@dataclass(frozen=True, slots=True)
class DevState:
    """A stack that is up.

    `born` is when its process began, in seconds since the epoch, to tell it from a later one of the same number.
    `postgres_from` and `redis_from` say where the servers come from.
    `https_url` and the file of authorities that its clients are to trust, `ca_file`, are empty without https.
    """

    pid: int
    born: float
    api_url: str
    database_url: str
    redis_url: str
    postgres_from: str = ""
    redis_from: str = ""
    https_url: str = ""
    ca_file: str = ""


def write_state(home: Path, state: DevState) -> None:
    """Whole or not at all, and readable by nobody else: it holds passwords."""
    write_private(home / _FILE, json.dumps(asdict(state), indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """Put a file there that only its owner may read: whole, or not at all."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(file)


def remove_state(home: Path) -> None:
    """The stack is down."""
    (home / _FILE).unlink(missing_ok=True)


def read_state(home: Path) -> DevState | None:
    """The state of a stack that is alive; one that a dead process left behind is nothing."""
    try:
        state = DevState(**json.loads((home / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    began = born(state.pid)
    return state if began is not None and abs(began - state.born) < _CLOCK_S else None


def born(pid: int | None = None) -> float | None:
    """When a process began, in seconds since the epoch; None when it is gone. Without a number: this one."""
    import psutil  # 2 MB, which servers that are no development stack do not need

    try:
        return float(psutil.Process(os.getpid() if pid is None else pid).create_time())
    except psutil.Error:
        return None

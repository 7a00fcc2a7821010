"""The folder of a stack, `.genpulse`: its data, logs and state."""

import os
from pathlib import Path

from genpulse.dev.errors import FolderRefused

_PROBE = ".writable"


def open_home(home: Path) -> None:
    """Nobody else may look into it, and git does not: it holds passwords. Where servers run as another user, that
    one has to pass through it. Raises `FolderRefused` where nothing can be kept in it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        ignored = home / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
        if home.stat().st_uid == os.geteuid():
            home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        _write_a_little(home / _PROBE)
    except OSError as error:
        raise FolderRefused(
            f"{home} cannot be used: {error.strerror}. Data, logs and state of the stack are kept in it. Run"
            " genpulse in a folder that you may write and that has room."
        ) from error


def demand_sight(home: Path) -> None:
    """What runs in the folder of somebody else can be told by that one alone. Raises `FolderRefused`."""
    if home.is_dir() and not os.access(home, os.R_OK | os.X_OK):
        raise FolderRefused(
            f"{home} cannot be looked into: it is kept private by the user of number {home.stat().st_uid}. Run"
            " genpulse as that user, or in a folder of your own."
        )


def _write_a_little(file: Path) -> None:
    try:
        file.write_bytes(bytes(1 << 16))
    finally:
        file.unlink(missing_ok=True)

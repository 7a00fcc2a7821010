"""Opens a page where a person looks at it."""

import os
import shutil
import subprocess
import sys

_PATIENCE_S = 10.0
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def open_page(url: str) -> bool:
    """False where there is no screen, or nothing that opens pages on it. None is opened inside the terminal."""
    opener = _opener()
    if opener is None:
        return False
    try:
        done = subprocess.run(
            [opener, url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _opener() -> str | None:
    if sys.platform == "darwin":
        return shutil.which("open")
    return shutil.which("xdg-open") if any(os.environ.get(screen) for screen in _SCREENS) else None

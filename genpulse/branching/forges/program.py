"""A forge's own command, when it is installed."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from genpulse.branching.forges.errors import ForgeError

_URL = re.compile(r"https?://\S+")
_SECONDS = 120
_QUIET = {"GH_PROMPT_DISABLED": "1", "GLAB_NO_PROMPT": "1", "NO_COLOR": "1"}


def said_by(name: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str | None:
    """The address that the command printed last; None when it is not installed. Raises `ForgeError`."""
    program = shutil.which(name, path=environment.get("PATH"))
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            env={**environment, **_QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ForgeError(
            f"{name} did not answer within {_SECONDS} s.", f"Run it by hand: {name} auth status"
        ) from error
    urls = _URL.findall(done.stdout) or _URL.findall(done.stderr if "already exists" in done.stderr else "")
    if done.returncode != 0 and not (urls and "already exists" in done.stderr):
        why = " ".join((done.stderr or done.stdout).split()) or f"it ended with {done.returncode}"
        raise ForgeError(f"{name} said: {why}", f"{name} auth status, or remove it from PATH")
    return urls[-1] if urls else ""

"""Writes `genpulse_client/synchronous/` from `genpulse_client/asynchronous/`: the same calls without `await`.

python packages/genpulse-client/make_synchronous.py
"""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "genpulse_client"
SOURCE, TARGET = PACKAGE / "asynchronous", PACKAGE / "synchronous"
_WORDS = (
    (r"async (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\baclosing\b", "closing"),
    (r"\bAsyncGenerator\[(\w+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync(Iterator|Generator|GenPulse|Connection|Session)\b", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_bytes)\b", r"\1"),
    (r"\bgenpulse_client\.asynchronous\b", "genpulse_client.synchronous"),
    (r" for asyncio\b", ""),
)
_HEAD = "# Made from asynchronous/{name} by make_synchronous.py: change it there.\n"


def synchronous(name: str, text: str) -> str:
    """The text of the file of this name, for sync programs."""
    if name == "__init__.py":
        return '"""The sync client, made from the package `asynchronous` by `make_synchronous.py`."""\n'
    for pattern, replacement in _WORDS:
        text = re.sub(pattern, replacement, text)
    path = str(TARGET / name)
    for arguments in (
        ["check", "--quiet", "--fix-only", "--unsafe-fixes", "--select", "I,SIM117,UP028"],
        ["format", "--quiet"],
    ):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", path, "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return _HEAD.format(name=name) + text


def made() -> dict[str, str]:
    """All files of the sync client, by their names."""
    return {path.name: synchronous(path.name, path.read_text()) for path in sorted(SOURCE.glob("*.py"))}


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    for name, text in made().items():
        (TARGET / name).write_text(text)

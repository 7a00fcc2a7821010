"""The gate's one file, unpacked and compiled: a start of it costs a third of what the file itself takes."""

import compileall
import io
import sys
import zipfile
from pathlib import Path

_PYTHON = """#!/bin/sh
if [ "$1 $2" = "-I -S" ] && cmp -s "$3" "{gate}"; then
  shift 3
  exec "{python}" -I -S "{folder}" "$@"
fi
exec "{python}" "$@"
"""


def unpacked(content: bytes, folder: Path) -> Path:
    """The folder, which Python runs as it runs the file."""
    zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
    compileall.compile_dir(folder, quiet=1)
    return folder


def programs(content: bytes, home: Path) -> Path:
    """A folder with `python` and `python3` that run what is compiled in place of this very file, and no other."""
    (home / "flow.pyz").write_bytes(content)
    script = _PYTHON.format(gate=home / "flow.pyz", python=sys.executable, folder=unpacked(content, home / "gate"))
    found = home / "programs"
    found.mkdir()
    for name in ("python", "python3"):
        (found / name).write_text(script)
        (found / name).chmod(0o755)
    return found

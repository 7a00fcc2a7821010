"""`genpulse flow` in this very process: the command's own code and environment, without the interpreter's start.

What a person types into a shell is taken apart at `&&`; git's commands are processes as ever.
"""

import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from genpulse.__main__ import main

_NEEDS_A_SHELL = frozenset("$`|;<>(){}*?\n")


def run(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """As `python -m genpulse` with these arguments, in the folder, with nothing but this environment."""
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for _ in range(2))
    with _place(folder, environment), Path(os.devnull).open() as nobody, _streams(nobody, out, err):
        sys.argv = ["genpulse", *arguments]
        code = _code()
    said = [stream.buffer.getvalue().decode(encoding) for stream in (out, err)]
    return subprocess.CompletedProcess(["genpulse", *arguments], code, *said)


def typed(command: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What a person types, as `sh -ec` takes it. `genpulse` has to be on the PATH of this environment."""
    parts = command.split(" && ")
    if not any(map(_is_flow, parts)) or not _NEEDS_A_SHELL.isdisjoint(command):
        return _by_shell(command, folder, environment)
    out = err = ""
    done = subprocess.CompletedProcess([command], 0, out, err)
    for part in parts:
        words = shlex.split(part)
        done = run(words[1:], folder, environment) if _is_flow(part) else _by_shell(part, folder, environment)
        out, err = out + done.stdout, err + done.stderr
        if done.returncode:
            break
    return subprocess.CompletedProcess([command], done.returncode, out, err)


def _is_flow(part: str) -> bool:
    return part.startswith("genpulse flow ")


def _by_shell(command: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-ec", command],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _code() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


@contextlib.contextmanager
def _place(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The folder, the environment and what else a command takes for its own."""
    before, variables, argv = Path.cwd(), dict(os.environ), sys.argv
    handler = signal.getsignal(signal.SIGTERM)
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(variables)
        sys.argv = argv
        signal.signal(signal.SIGTERM, handler)


@contextlib.contextmanager
def _streams(stdin: io.TextIOBase, stdout: io.TextIOBase, stderr: io.TextIOBase) -> Iterator[None]:
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before

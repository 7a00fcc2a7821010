"""Commands of the product as processes of their own, without the second for which each would import.

They are forks of one process that has imported it all, and differ from `python -m genpulse` in nothing else that a
test of a command looks at. Who tests the start itself, or sets `PYTHON…` variables, starts an interpreter.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO

ENDS_WITHIN_S = 300.0


class Command:
    """A command that runs, with what `subprocess.Popen` has for it. Its streams are file descriptors."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        environment: Mapping[str, str],
        streams: tuple[int, int, int],
        *,
        stdout: IO[str] | None = None,
        stderr: IO[str] | None = None,
    ) -> None:
        own = [name for name in environment if name.startswith("PYTHON")]
        assert not own, f"a fork does not heed {own}: start an interpreter"
        self.arguments, self.stdout, self.stderr = arguments, stdout, stderr
        handed = [Connection(os.dup(stream)) for stream in streams]
        words = (arguments, str(folder), dict(environment), handed)
        self._process = _context().Process(target=_become, args=words, daemon=True)
        self._process.start()
        for stream in handed:
            stream.close()

    @property
    def pid(self) -> int:
        """Its number."""
        pid = self._process.pid
        assert pid is not None
        return pid

    def poll(self) -> int | None:
        """Its exit code, if it is over."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired(self.arguments, timeout or 0.0)
        return code

    def communicate(self) -> tuple[str, str]:
        """What was not yet read of what it says, to its end."""
        with ThreadPoolExecutor(2) as threads:
            out, err = threads.map(_read, (self.stdout, self.stderr))
        self.wait()
        return out, err

    def send_signal(self, number: signal.Signals) -> None:
        """Tell it, unless it is over."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def run(
    *arguments: str, folder: Path, environment: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> "subprocess.CompletedProcess[str]":
    """A command from its start to its end. `stdin` is a file descriptor."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _nothing() as nothing:
        source = nothing.fileno() if stdin == subprocess.DEVNULL else stdin
        running = Command(arguments, folder, environment, (source, out.fileno(), err.fileno()))
        try:
            code = running.wait(ENDS_WITHIN_S)
        finally:
            running.kill()
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read().decode(), err.read().decode())


def start(
    *arguments: str, folder: Path, environment: Mapping[str, str], log: IO[str] | None = None, merged: bool = False
) -> Command:
    """A command that goes on. It writes into a file, or into pipes; `merged`, into that of `stdout` alone."""
    with _nothing() as nothing:
        if log is not None:
            return Command(arguments, folder, environment, (nothing.fileno(), log.fileno(), log.fileno()))
        out, their_out = os.pipe()
        err, their_err = (None, their_out) if merged else os.pipe()
        try:
            return Command(
                arguments,
                folder,
                environment,
                (nothing.fileno(), their_out, their_err),
                stdout=os.fdopen(out, encoding="utf-8"),
                stderr=None if err is None else os.fdopen(err, encoding="utf-8"),
            )
        finally:
            for stream in {their_out, their_err}:
                os.close(stream)


def _nothing() -> IO[bytes]:
    return Path(os.devnull).open("rb")


def _read(stream: IO[str] | None) -> str:
    if stream is None:
        return ""
    with stream:
        return stream.read()


@cache
def _context() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.imported"])
    return context


def _become(
    arguments: tuple[str, ...], folder: str, environment: dict[str, str], streams: list[Connection]
) -> None:
    """What an interpreter does before it begins with `python -m genpulse`, and that."""
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["genpulse", *arguments]

    from genpulse.__main__ import main

    main()

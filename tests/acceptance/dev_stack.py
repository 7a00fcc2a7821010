"""A running `genpulse dev`, for the tests that do things to it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from genpulse.dev.processes.ports import free_port
from tests import command

UP_S = 120.0
ENDS_WITHIN_S = 120.0
LEASE_S = 10
"""Long enough that a busy machine lets no worker lose one."""


class Dev:
    """A running `genpulse dev` in a folder of its own."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        self._options = options
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {"PATH": os.defpath, "GENPULSE_WORKER__LEASE_S": str(LEASE_S), **environment}

    def start(self) -> None:
        with (self.folder / "dev.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "genpulse", "dev", "--port", str(self.port), *self._options],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + UP_S
        while "GenPulse is up" not in self.log:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        self.state = json.loads((self.folder / ".genpulse/dev.json").read_text())
        self.family = self.children

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def children(self) -> list[psutil.Process]:
        """Its processes as they are now, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    @property
    def log(self) -> str:
        return (self.folder / "dev.log").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pid_of(self, verb: str) -> int:
        (pid,) = [child.pid for child in self.children if child.cmdline()[-3:] == ["-m", "genpulse", verb]]
        return pid

    def end(self, number: signal.Signals) -> int:
        self.family = self.children
        self.process.send_signal(number)
        return self.process.wait(ENDS_WITHIN_S)

    def ended(self) -> None:
        """See to it that it is not left running."""
        if self.is_up:
            self.end(signal.SIGINT)

    def left_behind(self) -> list[psutil.Process]:
        """Processes that go on without it. A number that another process has by now is none of them."""
        deadline = time.monotonic() + ENDS_WITHIN_S
        while (left := [member for member in self.family if _runs(member)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def genpulse(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command beside it, in the same folder."""
        return command.run(*arguments, folder=self.folder, environment=self._environment | environment)


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False

"""A running `genpulse dev`, for the tests that do things to it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from genpulse.dev.ports import free_port

UP_S = 40.0
LEASE_S = 2


class Dev:
    """A running `genpulse dev` in a folder of its own."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        self._options = options
        self.port = free_port()
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
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    @property
    def log(self) -> str:
        return (self.folder / "dev.log").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pid_of(self, verb: str) -> int:
        (pid,) = [
            child.pid
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if child.cmdline()[-3:] == ["-m", "genpulse", verb]
        ]
        return pid

    def end(self, number: signal.Signals, within_s: float) -> int:
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def ended(self) -> None:
        """See to it that it is not left running."""
        if hasattr(self, "process") and self.process.poll() is None:
            self.end(signal.SIGINT, 15)

    def left_behind(self, within_s: float) -> list[psutil.Process]:
        return psutil.wait_procs(self.family, timeout=within_s)[1]

    def genpulse(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command beside it, in the same folder."""
        return subprocess.run(
            [sys.executable, "-m", "genpulse", *arguments],
            cwd=self.folder,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

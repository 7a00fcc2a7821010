"""A process of the stack: started in a session of its own, listened to, and never left behind."""

import collections
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from genpulse.dev.processes.unprivileged import User

_PR_SET_PDEATHSIG = 1
_LAST_LINES = 15
_guard_file = Path(__file__).with_name("watchdog.py")


@dataclass(frozen=True, slots=True)
class Command:
    """What to start.

    `stop_signal` asks it to stop; `orphan_signal` ends it when its supervisor is gone. `announcement` are words
    of the line by which it says that it is ready. A line with one of the words in `unsaid` is passed on to nobody.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    announcement: str | None = None
    unsaid: Sequence[str] = ()


class Guard:
    """The process that ends the others when this one is gone, however it went."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_guard_file)],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def add(self, pid: int, number: signal.Signals) -> None:
        """End this process with us."""
        self._tell(f"add {pid} {int(number)}")

    def remove(self, pid: int) -> None:
        """This process has ended."""
        self._tell(f"remove {pid}")

    def changed_terminal(self, path: str, before: str, after: str) -> None:
        """A terminal is to be given back with us, if it is still as we left it."""
        self._tell(f"terminal {path} {before} {after}")

    def restored_terminal(self) -> None:
        """The terminal is as it was."""
        self._tell("terminal")

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()

    def close(self) -> None:
        """Let it go; what is still there ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


@dataclass(slots=True)
class Child:
    """A running process. `on_line` gets each line that it prints, from a thread of its own."""

    command: Command
    guard: Guard
    on_line: Callable[[str, str], None]
    _process: "subprocess.Popen[str]" = field(init=False)
    _last: "collections.deque[str]" = field(init=False)
    _announced: threading.Event = field(init=False, default_factory=threading.Event)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._last = collections.deque(maxlen=_LAST_LINES)
        self._process = _start(self.command)
        self.guard.add(self._process.pid, self.command.orphan_signal)
        self._reader = threading.Thread(target=self._listen, name=f"log of {self.command.name}", daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                text = line.rstrip("\n")
                with self._lock:
                    self._last.append(text)
                if self.command.announcement and self.command.announcement in text:
                    self._announced.set()
                if not any(words in text for words in self.command.unsaid):
                    self.on_line(self.command.name, text)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs. A signal N is 128 + N, as shells say it."""
        code = self._process.poll()
        return None if code is None else code if code >= 0 else 128 - code

    @property
    def last_lines(self) -> str:
        """The newest lines that it printed."""
        with self._lock:
            return "\n".join(self._last)

    @property
    def has_announced(self) -> bool:
        """Whether it has said that it is ready."""
        return self._announced.is_set()

    def signal(self, number: signal.Signals) -> None:
        """To it and all that it started; nothing when it has ended."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def ask_to_stop(self) -> None:
        """Send its own stop signal to it alone, so that it can stop its own children in order."""
        if self._process.poll() is None:
            self._process.send_signal(self.command.stop_signal)

    def stop(self, patience_s: float) -> None:
        """Ask it to stop, and end it after `patience_s` seconds."""
        self.ask_to_stop()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
        self.reap()

    def reap(self) -> None:
        """Wait for its end, and end what it started and left behind."""
        self._process.wait()
        if not psutil.pid_exists(self.pid):  # else it is another process by now, and so is the group
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.guard.remove(self.pid)
        self._reader.join(1.0)


def _start(command: Command) -> "subprocess.Popen[str]":
    user = command.user
    return subprocess.Popen(
        list(command.arguments),
        cwd=command.folder,
        env=dict(command.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        preexec_fn=dies_with_us(command.orphan_signal),
    )


def dies_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """What a new process does first, so that Linux ends it with the thread that started it.

    This covers the moment before the guard knows of it. Elsewhere than on Linux there is no such thing.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    supervisor = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(1)

    return ask

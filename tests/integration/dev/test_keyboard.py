"""Single keys of a terminal, on a real one."""

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager

import pytest

LISTENER = """
import asyncio, sys
from genpulse.dev.processes.child import Guard
from genpulse.dev.terminal.keyboard import keys

async def main():
    guard, ended = Guard(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, ended.set)
    def pressed(key):
        print(f"<{key}>", flush=True)
        if key == "q":
            ended.set()
    with keys(0, guard, pressed):
        print("<listening>", flush=True)
        await ended.wait()
    guard.close()

asyncio.run(main())
"""
# A session of its own on the terminal, as a shell has one; the listener is started in it as a job.
SHELL = """
import fcntl, os, signal, subprocess, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
background = sys.argv[2] == "background"
job = subprocess.Popen([sys.executable, "-c", sys.argv[1]], process_group=0)
if not background:
    os.tcsetpgrp(0, job.pid)
print(f"<job {job.pid}>", flush=True)
for line in open(sys.argv[3]):
    os.tcsetpgrp(0, job.pid if line.strip() == "fg" else os.getpgrp())
    os.killpg(job.pid, signal.SIGCONT)
    print("<moved>", flush=True)
print(f"<ended {job.wait()}>", flush=True)
"""


class Terminal:
    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs
        self.seen = ""
        os.set_blocking(ours, False)

    def wait_for(self, words, within_s=60.0):
        deadline = time.monotonic() + within_s
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            try:
                self.seen += os.read(self.ours, 4096).decode()
            except BlockingIOError:
                time.sleep(0.02)

    def type(self, text):
        os.write(self.ours, text.encode())

    @property
    def is_plain(self):
        flags = termios.tcgetattr(self.theirs)[3]
        return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)

    def is_plain_within(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.is_plain and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.is_plain


@pytest.fixture
def terminal():
    ours, theirs = pty.openpty()
    yield Terminal(ours, theirs)
    os.close(ours)
    os.close(theirs)


@contextmanager
def shell(terminal, folder, *, place="foreground"):
    """The number of the job, and a file in which to write `fg` and `bg`."""
    orders = folder / "orders"
    os.mkfifo(orders)
    process = subprocess.Popen(
        [sys.executable, "-c", SHELL, LISTENER, place, str(orders)],
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
    )
    try:
        with orders.open("w", buffering=1) as writing:
            terminal.wait_for("<job ")
            terminal.wait_for("<listening>")
            job = int(terminal.seen.partition("<job ")[2].partition(">")[0])
            yield job, writing
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def test_keys_come_without_enter_and_are_not_shown(terminal, tmp_path):
    with shell(terminal, tmp_path):
        assert not terminal.is_plain
        terminal.type("r")
        terminal.wait_for("<r>")
        terminal.type("q")
        terminal.wait_for("<q>")
    terminal.wait_for("<ended 0>")
    assert "r<r>" not in terminal.seen
    assert terminal.is_plain


def test_the_terminal_is_plain_again_after_sigterm(terminal, tmp_path):
    with shell(terminal, tmp_path) as (job, _):
        os.kill(job, signal.SIGTERM)
    terminal.wait_for("<ended 0>")
    assert terminal.is_plain


def test_the_guard_gives_it_back_after_a_kill(terminal, tmp_path):
    with shell(terminal, tmp_path) as (job, _):
        os.kill(job, signal.SIGKILL)
    terminal.wait_for("<ended -9>")
    assert terminal.is_plain_within(5)


def test_the_guard_leaves_it_alone_when_another_has_changed_it(terminal, tmp_path):
    with shell(terminal, tmp_path) as (job, _):
        changed = termios.tcgetattr(terminal.theirs)
        changed[0] ^= termios.ICRNL
        termios.tcsetattr(terminal.theirs, termios.TCSANOW, changed)
        os.kill(job, signal.SIGKILL)
    terminal.wait_for("<ended -9>")
    assert not terminal.is_plain_within(0.5)
    assert termios.tcgetattr(terminal.theirs) == changed


def test_a_job_in_the_background_is_not_stopped_and_listens_when_it_comes_forward(terminal, tmp_path):
    with shell(terminal, tmp_path, place="background") as (_, orders):
        assert terminal.is_plain
        orders.write("fg\n")
        terminal.wait_for("<moved>")
        deadline = time.monotonic() + 60
        while terminal.is_plain and time.monotonic() < deadline:
            time.sleep(0.02)
        terminal.type("q")
        terminal.wait_for("<q>")
    terminal.wait_for("<ended 0>")
    assert terminal.is_plain

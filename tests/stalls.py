"""Runs a command and stops processes that it has started for moments, at random, as a busy machine does.

`python -m tests.stalls make test` (`make test-stalled`): a test that takes a pause of the machine for an error of
what it tests fails here within minutes, and on a machine that is loaded once in twenty runs. A server that a test
has stopped itself may be let go too soon.
"""

import argparse
import random
import signal
import subprocess
import sys
import time

import psutil

LOOK_S = 0.3
STEP_S = 0.02
LONGEST_S = 4.0
MOST_SHARE = 0.25
PYTHON_SHARE = 0.7
"""Of those that are stopped so many run tests; the rest are servers and whatever tests start."""


class Stalls:
    """Who is stopped, and until when."""

    def __init__(self, root: psutil.Process, at_once: int, mean_s: float) -> None:
        self._root = root
        self._at_once = at_once
        self._mean_s = mean_s
        self._until: dict[psutil.Process, float] = {}
        self._kin: list[psutil.Process] = []
        self._looked_at = float("-inf")
        self.count = 0

    def step(self, now: float) -> None:
        """Let go whose time is over, and stop others."""
        if now - self._looked_at > LOOK_S:
            self._kin, self._looked_at = _kin(self._root), now
        for process in [process for process, until in self._until.items() if now >= until]:
            self._let_go(process)
        for _ in range(min(self._at_once, int(len(self._kin) * MOST_SHARE)) - len(self._until)):
            self._stop_one(now)

    def let_go(self) -> None:
        """All of them."""
        for process in list(self._until):
            self._let_go(process)

    def _stop_one(self, now: float) -> None:
        running = [process for process in self._kin if process not in self._until and _runs(process)]
        testing = [process for process in running if _name(process).startswith("python")]
        choice = testing if testing and random.random() < PYTHON_SHARE else running
        if choice:
            process = random.choice(choice)
            self._until[process] = now + min(random.expovariate(1 / self._mean_s), LONGEST_S)
            self.count += 1
            _send(process, signal.SIGSTOP)

    def _let_go(self, process: psutil.Process) -> None:
        del self._until[process]
        _send(process, signal.SIGCONT)


def _kin(root: psutil.Process) -> list[psutil.Process]:
    """What the command has started, but for whoever starts nothing but the next one, up to who deals the tests."""
    try:
        parent, children = root, root.children()
        while len(children) == 1:
            parent, children = children[0], children[0].children()
        return parent.children(recursive=True)
    except psutil.Error:
        return []


def _runs(process: psutil.Process) -> bool:
    """Not where it has ended, or was stopped by a test."""
    try:
        return process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return  # it has ended meanwhile


def main() -> None:
    """Run the command to its end, and end as it does."""
    parser = argparse.ArgumentParser(prog="python -m tests.stalls", description=__doc__)
    parser.add_argument("--at-once", type=int, default=5, help="how many are stopped at once, at most")
    parser.add_argument("--mean", type=float, default=0.6, metavar="SECONDS", help="for how long, on average")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    wanted = parser.parse_args()
    if not wanted.command:
        parser.error("there is no command; `python -m tests.stalls make test`")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with subprocess.Popen(wanted.command) as child:
        stalls = Stalls(psutil.Process(child.pid), wanted.at_once, wanted.mean)
        try:
            while child.poll() is None:
                stalls.step(time.monotonic())
                time.sleep(STEP_S)
        finally:
            stalls.let_go()
    print(f"{stalls.count} processes were stopped for a moment each", file=sys.stderr)
    sys.exit(child.returncode)


if __name__ == "__main__":
    main()

"""Ends what a supervisor leaves behind.

Runs as a process of its own. Its standard input is a pipe that the supervisor holds: `add PID SIGNAL` and
`remove PID` come as lines, and its end means that the supervisor is gone, in whatever way. Only the
standard library is used, so that it starts in a moment.
"""

import os
import signal
import sys
import time
from pathlib import Path

_PATIENCE_S = 3.0


def main() -> None:
    """Listen until the pipe ends, then end the processes that were not removed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, tuple[int, str]] = {}
    for line in sys.stdin:
        word, pid, *rest = line.split()
        if word == "add":
            watched[int(pid)] = (int(rest[0]), _birth(int(pid)))
        else:
            watched.pop(int(pid), None)
    _end(watched)


def _end(watched: dict[int, tuple[int, str]]) -> None:
    for pid, (number, birth) in watched.items():
        _signal(pid, number, birth)
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and any(_signal(pid, 0, birth) for pid, (_, birth) in watched.items()):
        time.sleep(0.05)
    for pid, (_, birth) in watched.items():
        _signal(pid, signal.SIGKILL, birth)


def _signal(pid: int, number: int, birth: str) -> bool:
    """To the process group that it began; False when nobody is left in it, or its number is another's now.

    The system gives a number to nobody else while a group has it: a group whose first process is gone is ours.
    """
    if _birth(pid) not in (birth, "", "gone"):
        return False
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _birth(pid: int) -> str:
    """When the process began, where the system tells it: a number that was given anew has another one."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "gone" if after_name[0] in "ZX" else after_name[19]


if __name__ == "__main__":
    main()

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
    while time.monotonic() < deadline and any(_is(pid, birth) for pid, (_, birth) in watched.items()):
        time.sleep(0.05)
    for pid, (_, birth) in watched.items():
        _signal(pid, signal.SIGKILL, birth)


def _signal(pid: int, number: int, birth: str) -> None:
    """To the process group that it leads, also when only its children are left in it."""
    if _is(pid, birth):
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            return


def _is(pid: int, birth: str) -> bool:
    """Whether its group is there: the number of a group is given to nobody else while it has a member."""
    return _group_is_there(pid) and _birth(pid) in {birth, "", "gone"}


def _group_is_there(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _birth(pid: int) -> str:
    """When the process began, where the system tells it: a number that was given anew has another one."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "gone" if after_name[0] == "Z" else after_name[19]


if __name__ == "__main__":
    main()

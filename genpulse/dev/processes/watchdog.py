"""A watchdog process that ends what a killed supervisor leaves, and restores its terminal.

Runs as a process of its own. Its standard input is a pipe that the supervisor holds, and the end of it means that
the supervisor is gone, in whatever way. Lines come in it: `add PID SIGNAL` and `remove PID`, of a process;
`terminal PATH BEFORE AFTER`, when a terminal has been changed, and `terminal` when it is as it was. Only the
standard library is used, so that it starts in a moment.
"""

import os
import signal
import sys
import termios
import time
from pathlib import Path

_PATIENCE_S = 3.0
_SPECIAL = 6


def main() -> None:
    """Listen until the pipe ends, then end the processes that were not removed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, tuple[int, str]] = {}
    terminal: list[str] = []
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "add":
            watched[int(rest[0])] = (int(rest[1]), _birth(int(rest[0])))
        elif word == "remove":
            watched.pop(int(rest[0]), None)
        else:
            terminal = rest
    if terminal:
        _give_back(*terminal)
    _end(watched)


def written(attributes: list[object]) -> str:
    """The attributes of a terminal as a word of a line."""
    *flags, special = attributes
    if not isinstance(special, list):
        raise TypeError("the last attribute of a terminal is the list of its special characters")
    return ",".join(str(each if isinstance(each, int) else ord(each)) for each in [*flags, *special])


def _give_back(path: str, before: str, after: str) -> None:
    """Undo the change, unless somebody else has changed the terminal since: the shell is quick."""
    try:
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if written(termios.tcgetattr(terminal)) == after:
            numbers = [int(each) for each in before.split(",")]
            attributes: list[int | list[int]] = [*numbers[:_SPECIAL], numbers[_SPECIAL:]]
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    except termios.error:
        return
    finally:
        os.close(terminal)


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

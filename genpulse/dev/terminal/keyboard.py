"""Single keys of the terminal, without Enter."""

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from genpulse.dev.processes.child import Guard
from genpulse.dev.processes.watchdog import written

_AT_ONCE = 64


@contextmanager
def keys(terminal: int, guard: Guard, pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` with each key that is pressed while the body runs, in the event loop.

    `terminal` is a file descriptor. Ctrl-C and Ctrl-Z work as ever. In the background nothing is read, and nothing
    is changed then. After the body the terminal is as it was, and the guard sees to that when we are killed.
    """
    keyboard = _Keyboard(terminal, guard, pressed)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCONT, keyboard.look)
    keyboard.look()
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCONT)
        keyboard.close()


class _Keyboard:
    def __init__(self, terminal: int, guard: Guard, pressed: Callable[[str], None]) -> None:
        self._terminal = terminal
        self._guard = guard
        self._pressed = pressed
        self._before = termios.tcgetattr(terminal)

    def look(self) -> None:
        """Listen when we are in the foreground. A shell that lets us go on has set the terminal its own way."""
        if not self._in_foreground():
            self._listen_no_more()
            return
        tty.setcbreak(self._terminal, termios.TCSANOW)
        after = termios.tcgetattr(self._terminal)
        self._guard.changed_terminal(os.ttyname(self._terminal), written(self._before), written(after))
        asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def close(self) -> None:
        """Give the terminal back."""
        self._listen_no_more()
        with suppress(termios.error):  # it may be gone
            if self._in_foreground():
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)
        self._guard.restored_terminal()

    def _listen_no_more(self) -> None:
        asyncio.get_running_loop().remove_reader(self._terminal)

    def _in_foreground(self) -> bool:
        """Whoever reads or changes a terminal in the background is stopped by the system."""
        try:
            return os.tcgetpgrp(self._terminal) == os.getpgrp()
        except OSError:
            return False

    def _read(self) -> None:
        if not self._in_foreground():
            self._listen_no_more()
            return
        try:
            read = os.read(self._terminal, _AT_ONCE)
        except OSError:
            read = b""
        if not read:
            self._listen_no_more()
        for key in read.decode(errors="ignore"):
            self._pressed(key)

"""Entry of `python -m genpulse` and of the command `genpulse`."""

import io
import os
import sys
from typing import TextIO

from genpulse.cli.app import genpulse
from genpulse.cli.errors import exit_code_of


def main() -> None:
    """Run the command line and end the process with its exit code."""
    take_everything(sys.stdout, sys.stderr)
    try:
        code = genpulse.main(prog_name="genpulse", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - the last place that can turn an error into an exit code
        code = exit_code_of(error, debug="--debug" in sys.argv)
    let_go(sys.stdout, sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def take_everything(*streams: TextIO) -> None:
    """A terminal or a pipe that knows ASCII alone gets a question mark for a tick, and no error.

    Python's own ways are to raise, and in the C locale to write what is no character back as the byte that it was.
    """
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors in {"strict", "surrogateescape"}:
            stream.reconfigure(errors="replace")


def let_go(*streams: TextIO) -> None:
    """Forget what a full disk or a closed pipe does not take: Python would try again, and exit with 120."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()

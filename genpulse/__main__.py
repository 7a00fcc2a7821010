"""Entry of `python -m genpulse` and of the command `genpulse`."""

import io
import sys

from genpulse.cli.app import genpulse
from genpulse.cli.errors import exit_code_of


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _say_whatever_can_be_said()
    try:
        code = genpulse.main(prog_name="genpulse", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - the last place that can turn an error into an exit code
        code = exit_code_of(error, debug="--debug" in sys.argv)
    sys.exit(code if isinstance(code, int) else 0)


def _say_whatever_can_be_said() -> None:
    """A terminal or a pipe that knows ASCII alone gets a question mark for a tick, and no error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()

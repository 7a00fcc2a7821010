"""One log for all processes."""

import errno
import io
import stat
import subprocess
import sys

from rich.console import Console

from genpulse.dev.terminal.log_view import StackConsole

TALKER = """
import sys
from pathlib import Path
from rich.console import Console
from genpulse.dev.terminal.log_view import StackConsole
hear = StackConsole(Path(sys.argv[1]), Console())
sys.stdin.readline()
for number in range(5):
    hear("api", str(number))
hear.close()
"""


class GoneTerminal(io.StringIO):
    def write(self, text):
        raise OSError(errno.EIO, "Input/output error")


def test_names_are_aligned_and_lines_of_one_message_each_get_theirs(tmp_path):
    shown = io.StringIO()
    hear = StackConsole(tmp_path / "logs", Console(file=shown, width=200))
    hear("api", "one\ntwo [bold]as it is[/bold]")
    hear("postgres", "three")
    hear.close()
    assert shown.getvalue().splitlines() == [
        "api      one",
        "api      two [bold]as it is[/bold]",
        "postgres three",
    ]


def test_files_hold_the_words_without_colours_and_begin_anew(tmp_path):
    for words in ("first", "\x1b[36msecond\x1b[0m"):
        hear = StackConsole(tmp_path, Console(file=io.StringIO()), quiet=True)
        hear("worker", words)
        hear.close()
        hear("worker", "too late")
    assert (tmp_path / "worker.log").read_text() == "second\n"
    assert stat.S_IMODE((tmp_path / "worker.log").stat().st_mode) == 0o600


def test_colours_are_for_terminals_alone(tmp_path):
    shown = io.StringIO()
    hear = StackConsole(
        tmp_path, Console(file=shown, force_terminal=True, color_system="standard", no_color=False)
    )
    hear("api", "line")
    hear.close()
    assert "\x1b[1;36mapi" in shown.getvalue()


def test_a_long_file_is_set_aside(tmp_path):
    hear = StackConsole(tmp_path, Console(file=io.StringIO()), quiet=True, longest_file=20)
    for number in range(6):
        hear("api", f"{number} 23456789")
    hear.close()
    kept = (tmp_path / "api.log.1").read_text()
    assert kept == "4 23456789\n5 23456789\n"


def test_a_terminal_that_is_gone_does_not_stop_the_log(tmp_path):
    hear = StackConsole(tmp_path, Console(file=GoneTerminal()))
    hear("api", "one")
    hear("api", "two")
    hear.close()
    assert (tmp_path / "api.log").read_text() == "one\ntwo\n"


def test_a_pipe_that_nobody_reads_does_not_stop_the_log(tmp_path):
    talker = subprocess.Popen(
        [sys.executable, "-c", TALKER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    talker.stdout.close()
    talker.stdin.write(b"\n")
    talker.stdin.close()
    assert talker.wait(10) == 0
    assert (tmp_path / "api.log").read_text().split() == ["0", "1", "2", "3", "4"]

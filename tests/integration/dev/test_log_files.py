"""Reading what a stack has written, and what it writes now."""

import io
import threading
from contextlib import closing

import pytest
from rich.console import Console

from genpulse.dev.terminal.log_files import last_lines, new_lines
from genpulse.dev.terminal.log_view import StackConsole


@pytest.fixture
def hear(tmp_path):
    hear = StackConsole(tmp_path, Console(file=io.StringIO()), quiet=True, longest_file=20)
    yield hear
    hear.close()


def test_the_last_lines_go_back_into_the_file_before(tmp_path, hear):
    for number in range(5):
        hear("api", f"{number} 23456789")
    assert last_lines(tmp_path, "api", 3) == ["2 23456789", "3 23456789", "4 23456789"]
    assert last_lines(tmp_path, "api", 0) == []
    assert last_lines(tmp_path, "worker", 3) == []


def test_new_lines_are_told_over_a_change_of_files_and_a_new_start(tmp_path, hear):
    hear("api", "old")
    with closing(new_lines(tmp_path, ("api", "worker"))) as lines:
        said = threading.Timer(0.2, hear, ("api", "new"))
        said.start()
        assert next(lines) == ("api", "new")
        hear("api", "0 23456789")
        hear("api", "1 23456789")
        assert [next(lines), next(lines)] == [("api", "0 23456789"), ("api", "1 23456789")]
        hear("worker", "first")
        assert next(lines) == ("worker", "first")
        again = StackConsole(tmp_path, Console(file=io.StringIO()), quiet=True)
        again("api", "begun anew")
        assert next(lines) == ("api", "begun anew")
        again.close()


def test_a_stack_that_is_refused_before_it_says_anything_leaves_the_files_of_the_running_one(tmp_path, hear):
    hear("api", "running")
    StackConsole(tmp_path, Console(file=io.StringIO()), quiet=True).close()
    assert last_lines(tmp_path, "api", 3) == ["running"]


def test_half_a_line_is_kept_until_it_is_whole(tmp_path):
    with (tmp_path / "api.log").open("w", buffering=1) as file, closing(new_lines(tmp_path, ("api",))) as lines:
        late = threading.Timer(0.3, file.write, ("lf\n",))
        soon = threading.Timer(0.1, lambda: (file.write("ha"), file.flush()))
        soon.start()
        late.start()
        assert next(lines) == ("api", "half")
        late.join()

"""A moment without room on the disk does not end a log."""

import errno
import io
import os
import stat

import pytest
from rich.console import Console

from genpulse.dev.terminal.log_file import LogFile
from genpulse.dev.terminal.log_view import StackConsole


class Narrow(LogFile):
    """On a disk that has this room; what does not fit is refused, and a part is taken where a part fits."""

    room = 0

    def _append(self, number, content):
        taken = content[: Narrow.room]
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        Narrow.room -= len(taken)
        return super()._append(number, taken)


@pytest.mark.parametrize("room", range(13))
def test_a_log_goes_on_after_a_full_disk(tmp_path, room):
    file = Narrow(tmp_path / "api.log")
    Narrow.room = 6 + room
    for line in ("first", "second", "third"):
        file.write(line)
    Narrow.room = 10_000
    file.write("fourth")
    file.write("fifth")
    file.close()
    lines = (tmp_path / "api.log").read_text().splitlines()
    assert lines[0] == "first"
    assert lines[-2:] == ["fourth", "fifth"]
    whole = [line for line in ("second", "third") if line in lines]
    missing = 2 - len(whole)
    told = [line for line in lines if line.startswith("… ")]
    wanted = {f"… {number} lines are missing or cut here: No space left on device" for number in (1, 2)}
    assert len(told) == bool(missing) or len(told) == (room == len("second\nthird"))
    assert set(told) <= wanted
    assert stat.S_IMODE((tmp_path / "api.log").stat().st_mode) == 0o600


def test_the_console_goes_on_after_a_full_disk(tmp_path):
    shown = io.StringIO()
    hear = StackConsole(tmp_path, Console(file=shown, width=100), opened=Narrow, longest_file=100)
    Narrow.room = 3
    hear("api", "lost")
    hear("worker", "lost")
    Narrow.room = 10_000
    hear("api", "kept")
    hear.close()
    assert (tmp_path / "api.log").read_text().splitlines()[-1] == "kept"
    assert shown.getvalue().split() == ["api", "lost", "worker", "lost", "api", "kept"]


def test_a_folder_that_is_gone_does_not_end_it_either(tmp_path):
    file = LogFile(tmp_path / "gone" / "api.log")
    file.write("lost")
    (tmp_path / "gone").mkdir()
    file.write("kept")
    file.set_aside(tmp_path / "nowhere" / "api.log.1")
    file.write("later")
    file.close()
    assert (tmp_path / "gone" / "api.log").read_text().splitlines() == [
        "… 1 lines are missing or cut here: No such file or directory",
        "kept",
        "… 1 lines are missing or cut here: it could not be set aside: No such file or directory",
        "later",
    ]

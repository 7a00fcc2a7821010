"""What a running stack says about itself."""

import os
import stat
import subprocess
import sys

import pytest

from genpulse.dev.errors import AlreadyRunning
from genpulse.dev.processes.stack_lock import stack_lock
from genpulse.dev.state import DevState, born, read_state, remove_state, write_state


def state(pid, birth):
    return DevState(pid, birth, "http://127.0.0.1:1", "postgresql://x", "redis://x")


def test_a_living_stack_is_read_and_only_by_its_owner(tmp_path):
    mine = state(os.getpid(), born())
    write_state(tmp_path, mine)
    assert read_state(tmp_path) == mine
    assert stat.S_IMODE((tmp_path / "dev.json").stat().st_mode) == 0o600
    remove_state(tmp_path)
    assert read_state(tmp_path) is None


def test_a_stack_that_is_gone_is_nothing(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    write_state(tmp_path, state(process.pid, born(process.pid)))
    process.wait()
    assert read_state(tmp_path) is None


def test_another_process_of_the_same_number_is_nothing(tmp_path):
    write_state(tmp_path, state(os.getpid(), born() - 5))
    assert read_state(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_file_is_nothing(tmp_path, content):
    (tmp_path / "dev.json").write_text(content)
    assert read_state(tmp_path) is None


def test_a_second_stack_is_told_of_the_first(tmp_path):
    with stack_lock(tmp_path):
        write_state(tmp_path, state(os.getpid(), born()))
        with (
            pytest.raises(AlreadyRunning, match=f"already running in this folder \\(pid {os.getpid()}\\)"),
            stack_lock(tmp_path),
        ):
            pass
    with stack_lock(tmp_path):
        pass

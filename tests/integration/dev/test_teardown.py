"""Ending a stack from outside, and throwing its data away."""

import subprocess
import sys
from pathlib import Path

import pytest

from genpulse.dev.errors import AlreadyRunning, DockerRefused, NotRunning, StillRunning
from genpulse.dev.processes.stack_lock import lock_holder, stack_lock
from genpulse.dev.servers.docker import project_name
from genpulse.dev.teardown import data_of, end_stack, remove_data, stop_containers

HOLDER = """
import signal, sys, time
from pathlib import Path
from genpulse.dev.processes.stack_lock import stack_lock
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with stack_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

ASKER = """
import sys, time
from pathlib import Path
from genpulse.dev.processes.stack_lock import lock_holder
print("asking", flush=True)
while True:
    lock_holder(Path(sys.argv[1]))
    time.sleep(0.005)
"""


@pytest.fixture
def holder(tmp_path):
    """Starts a process that holds the folder."""
    started = []

    def start(kind=""):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path), kind], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_holder_is_known_as_long_as_it_lives(tmp_path, holder):
    assert lock_holder(tmp_path) is None
    process = holder()
    assert lock_holder(tmp_path) == process.pid
    process.kill()
    process.wait()
    assert lock_holder(tmp_path) is None


def test_who_only_asks_does_not_keep_others_out(tmp_path):
    asking = subprocess.Popen([sys.executable, "-c", ASKER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert asking.stdout.readline() == b"asking\n"
        for _ in range(50):
            with stack_lock(tmp_path):
                pass
    finally:
        asking.kill()
        asking.wait()
        asking.stdout.close()


def test_the_supervisor_is_asked_and_waited_for(tmp_path, holder):
    process = holder()
    assert end_stack(tmp_path, 10) == process.pid
    assert lock_holder(tmp_path) is None
    with pytest.raises(NotRunning, match="No stack runs in"):
        end_stack(tmp_path, 10)


def test_one_that_does_not_end_is_said(tmp_path, holder):
    process = holder("stubborn")
    with pytest.raises(StillRunning, match=rf"\(pid {process.pid}\) was asked to end and still runs after 0\.2 s"):
        end_stack(tmp_path, 0.2)


def test_data_are_removed_and_what_else_is_kept_stays(tmp_path):
    for name in ("postgres/data", "redis", "storage"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "servers.json").write_text("{}")
    assert list(data_of(tmp_path, tmp_path)) == [str(tmp_path / "postgres"), str(tmp_path / "redis")]
    remove_data(tmp_path, tmp_path)
    assert list(data_of(tmp_path, tmp_path)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.lock", "servers.json", "storage"]


def test_data_of_a_stack_that_is_up_are_not_touched(tmp_path, holder):
    (tmp_path / "postgres").mkdir()
    holder()
    with pytest.raises(AlreadyRunning):
        remove_data(tmp_path, tmp_path)
    assert (tmp_path / "postgres").exists()


def test_a_link_that_leads_elsewhere_goes_and_what_it_leads_to_stays(tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "precious").touch()
    home = tmp_path / "home"
    home.mkdir()
    (home / "postgres").symlink_to(foreign)
    remove_data(tmp_path, home)
    assert not (home / "postgres").is_symlink()
    assert (foreign / "precious").exists()


def test_containers_are_looked_for_only_where_there_were_any(tmp_path):
    assert not stop_containers(tmp_path, tmp_path)


@pytest.mark.skipif(Path("/var/run/docker.sock").exists(), reason="there is a Docker engine")
def test_data_in_docker_are_not_forgotten_while_it_is_away(tmp_path):
    (tmp_path / "compose.env").write_text(f"COMPOSE_PROJECT_NAME={project_name(tmp_path)}\n")
    with pytest.raises(DockerRefused):
        remove_data(tmp_path, tmp_path)
    assert (tmp_path / "compose.env").exists()

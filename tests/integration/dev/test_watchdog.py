"""Nothing is left behind when a supervisor is gone."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from genpulse.dev.processes.watchdog import _birth

SUPERVISOR = """
import os, sys, time
from pathlib import Path
from genpulse.dev.processes.child import Child, Command, Guard
guard = Guard()
sleep = "import time; time.sleep(600)"
parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{sleep}']); {sleep}"
command = Command("c", [sys.executable, "-c", parent], dict(os.environ), Path.cwd())
child = Child(command, guard, lambda *_: None)
print(child.pid, flush=True)
sys.stdin.readline()
END
"""


def gone(processes):
    """A number that another process has by now is none of them."""
    deadline = time.monotonic() + 60
    while (alive := any(process.is_running() for process in processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive


STAYS = "time.sleep(600)"


@pytest.mark.parametrize("end", [STAYS, "os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_children_and_their_children_end_with_it(end):
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR.replace("END", end)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = psutil.Process(int(supervisor.stdout.readline()))
    while not (children := child.children(recursive=True)):
        time.sleep(0.02)
    family = [child, *children]
    supervisor.stdin.write("\n")
    supervisor.stdin.close()
    if end == STAYS:
        supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    supervisor.stdout.close()
    assert gone(family)


def test_a_number_that_was_given_anew_is_another_process():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    one = _birth(process.pid)
    process.kill()
    deadline = time.monotonic() + 60
    while _birth(process.pid) == one and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _birth(process.pid) == "gone"
    process.wait()
    assert _birth(process.pid) == ""

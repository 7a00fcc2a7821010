"""The commands of the other tests are forks: they say and do what an interpreter does."""

import os
import signal
import subprocess
import sys

import pytest

from tests import command

ENVIRONMENT = {"PATH": os.defpath, "GENPULSE_API__PORT": "9", "GENPULSE_PROVIDERS__KLING__API_KEY": "ключ"}


@pytest.mark.parametrize(
    "words",
    [("--version",), ("modles",), ("config", "check"), ("config", "show"), ("--debug", "tasks", "list")],
    ids=" ".join,
)
def test_a_fork_says_what_an_interpreter_says(tmp_path, words):
    fork = command.run(*words, folder=tmp_path, environment=ENVIRONMENT)
    real = subprocess.run(
        [sys.executable, "-m", "genpulse", *words],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (fork.returncode, fork.stdout) == (real.returncode, real.stdout)
    assert fork.stderr.splitlines()[-1:] == real.stderr.splitlines()[-1:]


def test_what_goes_on_can_be_ended(tmp_path):
    running = command.start("listen", folder=tmp_path, environment={"PATH": os.defpath})
    assert running.stderr.readline().startswith("Listening at ")
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    running.communicate()
    assert running.wait() == 0


def test_what_only_an_interpreter_heeds_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="PYTHONPATH"):
        command.run("--version", folder=tmp_path, environment={"PYTHONPATH": str(tmp_path)})

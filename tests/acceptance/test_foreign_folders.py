"""Folders of somebody else: what cannot be seen there is not said to be missing."""

import os
import shutil
import subprocess
import sys

import pytest

ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
"""Root without the right to read everything."""


def genpulse(folder, *arguments):
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and nothing here takes that right away")
    prefix = ORDINARY if os.geteuid() == 0 else []
    line = [*prefix, sys.executable, "-m", "genpulse", *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", ["status", "logs", "down", "reset"])
@pytest.mark.parametrize("mode", [0o000, 0o311])
def test_of_the_stack_of_somebody_else_nothing_is_told(tmp_path, verb, mode):
    home = tmp_path / ".genpulse"
    home.mkdir()
    (home / "logs").mkdir()
    home.chmod(mode)
    done = genpulse(tmp_path, "dev", verb)
    home.chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{home} cannot be looked into" in done.stderr
    assert "as that user" in done.stderr


@pytest.mark.parametrize("verb", [("config", "check"), ("env", "show")])
def test_a_configuration_that_cannot_be_seen_is_not_passed_over(tmp_path, verb):
    folder = tmp_path / "config"
    folder.mkdir(mode=0)
    done = genpulse(tmp_path, *verb)
    folder.chmod(0o700)
    assert done.returncode == 78
    assert f"{folder}: it cannot be looked into: Permission denied" in done.stderr

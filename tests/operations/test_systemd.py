"""The units, as systemd itself reads them. It does not run here."""

import shutil
import subprocess

import pytest

from tests.operations.tools import path_of
from tests.unit.deploy.test_systemd import UNITS


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_takes_it(path, tmp_path):
    text = path.read_text().replace("/opt/genpulse/venv/bin/genpulse", shutil.which("true"))
    (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        [path_of("systemd-analyze"), "verify", tmp_path / path.name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

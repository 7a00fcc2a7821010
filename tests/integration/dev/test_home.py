"""The folder of a stack: where nothing can be kept it is said before anything starts."""

import contextlib
import socket
import stat
import subprocess

import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse
from genpulse.cli.doctor.finding import Level
from genpulse.cli.doctor.machine import project_folder
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.file_names import write_text
from genpulse.dev.errors import FolderRefused, PortBusy, PortRefused
from genpulse.dev.home import open_home
from genpulse.dev.processes.ports import claim, free_port


def test_it_is_private_and_git_ignores_it(tmp_path):
    open_home(tmp_path / "deep" / ".genpulse")
    open_home(tmp_path / "deep" / ".genpulse")
    home = tmp_path / "deep" / ".genpulse"
    assert stat.S_IMODE(home.stat().st_mode) & 0o066 == 0
    assert [path.name for path in home.iterdir()] == [".gitignore"]
    assert (home / ".gitignore").read_text() == "*\n"


@pytest.fixture(params=["ro,size=16k", "size=4k"], ids=["read-only", "full"])
def small(request, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", request.param, "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


WORDS = "cannot be used: (Read-only file system|No space left on device)"


def test_a_file_system_that_takes_nothing(small):
    with pytest.raises(FolderRefused, match=WORDS):
        open_home(small / ".genpulse")
    assert not (small / ".genpulse/.writable").exists()


@pytest.mark.parametrize("verb", [["dev"], ["demo", "--here"], ["demo"]], ids=" ".join)
def test_commands_in_a_folder_that_takes_nothing(small, monkeypatch, verb):
    monkeypatch.chdir(small)
    result = CliRunner().invoke(genpulse, verb, env={"ENV": "dev"})
    assert isinstance(result.exception, FolderRefused if verb == ["dev"] else CommandRefused), result.exception
    assert "Read-only file system" in str(result.exception) or "No space left" in str(result.exception)
    assert verb == ["dev"] or "Nothing was started." in str(result.exception)


def test_a_file_in_its_place(tmp_path, monkeypatch):
    (tmp_path / ".genpulse").write_text("a file")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(genpulse, ["dev"], env={"ENV": "dev"})
    assert isinstance(result.exception, FolderRefused)
    assert f"{tmp_path / '.genpulse'} cannot be used: File exists" in str(result.exception)


def test_doctor_knows_it(tmp_path):
    assert project_folder(tmp_path).level is Level.OK
    assert project_folder(tmp_path / "nowhere").level is Level.WARNING


def test_texts_that_cannot_be_written(tmp_path):
    write_text(tmp_path / "x", "text")
    with pytest.raises(CommandRefused, match=r"cannot be written: Is a directory\. Name another"):
        write_text(tmp_path, "text")


@contextlib.contextmanager
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_busy_port_proposes_the_command_that_wanted_it():
    with taken() as port, pytest.raises(PortBusy, match=r"choose another: genpulse listen --port \d+"):
        claim(port, command="genpulse listen")
    with taken() as port, pytest.raises(PortBusy, match=r"choose another: genpulse dev --port \d+"):
        claim(port, command="genpulse dev")
    with pytest.raises(PortRefused, match="Choose a port from 1024 on: genpulse listen --port 8000"):
        claim(free_port(), "203.0.113.1", command="genpulse listen")
    with pytest.raises(PortRefused, match=r"by --host or api.host and a port from 1024 on: genpulse api"):
        claim(free_port(), "203.0.113.1", command="genpulse api", host_by="--host or api.host")

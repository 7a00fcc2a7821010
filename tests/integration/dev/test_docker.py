"""Servers by Docker Compose: its own client where there is one, and a small program in its place."""

import json
import os
import shutil
import stat
import subprocess
import sys

import pytest

from genpulse.dev.errors import DockerRefused, StartFailed
from genpulse.dev.servers.docker import Compose, check_engine, compose_file, docker_program, project_name

CLIENT = """#!{python}
import json, os, sys
words = sys.argv[1:]
with open({calls!r}, "a") as calls:
    print(json.dumps([words, {{name: os.environ.get(name) for name in ("DEV_PASSWORD", "PATH")}}]), file=calls)
answers = json.load(open({answers!r}))
verb = next((word for word in words if word in answers), None)
code, out, err = answers[verb] if verb else (0, "", "")
print(out)
print(err, file=sys.stderr)
sys.exit(code)
"""
LAY_OUT = """
import sys
from pathlib import Path
from genpulse.dev.servers.docker import Compose
from genpulse.dev.servers.secrets import Secrets
print(Compose.lay_out(Path(sys.argv[1]), Path(sys.argv[2]), Secrets(5001, 5002, "kept")).project)
"""


class Client:
    """A program of the name `docker` that writes down how it is called. It answers what it is told to."""

    def __init__(self, folder):
        self.program = folder / "bin" / "docker"
        self.program.parent.mkdir()
        self._calls, self._answers = folder / "calls", folder / "answers"
        self.program.write_text(
            CLIENT.format(python=sys.executable, calls=str(self._calls), answers=str(self._answers))
        )
        self.program.chmod(0o755)
        self.answer()

    def answer(self, **answers):
        self._answers.write_text(json.dumps(answers))

    @property
    def calls(self):
        return [json.loads(line)[0] for line in self._calls.read_text().splitlines()]

    @property
    def environments(self):
        return [json.loads(line)[1] for line in self._calls.read_text().splitlines()]


@pytest.fixture
def client(tmp_path):
    return Client(tmp_path)


@pytest.fixture
def compose(client, tmp_path):
    (tmp_path / ".genpulse").mkdir()
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / ".genpulse/compose.env").write_text("DEV_PASSWORD=kept\n")
    return Compose(client.program, tmp_path / "compose.yaml", tmp_path / ".genpulse", "genpulse-1")


@pytest.mark.skipif(shutil.which("docker") is None, reason="no Docker client is installed")
def test_the_real_client_without_an_engine_is_refused(tmp_path):
    nowhere = f"unix://{tmp_path}/docker.sock"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from genpulse.dev.servers.docker import check_engine, docker_program; check_engine(docker_program())",
        ],
        env={"PATH": os.environ["PATH"], "DOCKER_HOST": nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "DockerRefused" in done.stderr
    assert "its engine does not answer: " in done.stderr
    assert "Start Docker, or leave --services docker away" in done.stderr


def test_no_client_is_refused(tmp_path):
    with pytest.raises(DockerRefused, match="There is no `docker` on PATH"):
        docker_program(str(tmp_path))


def test_no_file_is_refused_with_where_to_get_one(tmp_path):
    with pytest.raises(DockerRefused, match=r"There is no compose\.yaml in .*GenPulse's repository"):
        compose_file(tmp_path, package=tmp_path / "site-packages/genpulse")


def test_an_engine_that_is_away_and_a_missing_plug_in_are_told_apart(client):
    client.answer(info=[1, "", "first\nCannot connect to the Docker daemon."])
    with pytest.raises(DockerRefused, match=r"its engine does not answer: Cannot connect to the Docker daemon\."):
        check_engine(client.program)
    client.answer(compose=[1, "", "docker: 'compose' is not a docker command."])
    with pytest.raises(DockerRefused, match="has no Compose plug-in: docker: 'compose' is not"):
        check_engine(client.program)
    client.answer()
    check_engine(client.program)


def test_a_client_that_cannot_be_run_is_refused(tmp_path):
    broken = tmp_path / "docker"
    broken.write_text("")
    broken.chmod(0o755)
    with pytest.raises(DockerRefused, match="it cannot be run"):
        check_engine(broken)


def test_its_variables_are_written_down_for_the_owner_alone(client, compose, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            LAY_OUT,
            str(tmp_path),
            str(home),
        ],
        env={"PATH": str(client.program.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == project_name(home), done.stderr
    assert (home / "compose.env").read_text().splitlines() == [
        "DEV_PASSWORD=kept",
        "DEV_POSTGRES_PORT=5001",
        "DEV_REDIS_PORT=5002",
        f"COMPOSE_PROJECT_NAME={project_name(home)}",
    ]
    assert stat.S_IMODE((home / "compose.env").stat().st_mode) == 0o600


def test_two_folders_of_one_name_have_a_project_each(tmp_path):
    assert project_name(tmp_path / "a/.genpulse") != project_name(tmp_path / "b/.genpulse")


def test_servers_are_started_by_name_and_waited_for(client, compose):
    command = compose.up(("postgres", "redis"))
    place = [
        "--env-file",
        f"{compose.home}/compose.env",
        "--project-name",
        "genpulse-1",
        "--file",
        str(compose.file),
    ]
    assert list(command.arguments) == [
        str(client.program),
        "compose",
        *place,
        *("up", "--detach", "--wait", "--wait-timeout", "600", "postgres", "redis"),
    ]
    assert "DEV_PASSWORD" not in command.environment


def test_their_addresses_are_asked_for(client, compose):
    client.answer(port=[0, "0.0.0.0:49153", ""])
    assert compose.url("postgres", "pw") == "postgresql://genpulse:pw@127.0.0.1:49153/genpulse?sslmode=disable"
    assert compose.url("redis", "pw") == "redis://:pw@127.0.0.1:49153/0"
    assert client.calls[0][-3:] == ["port", "postgres", "5432"]
    assert client.calls[1][-3:] == ["port", "redis", "6379"]


@pytest.mark.parametrize("answer", [[1, "", "no such service: postgres"], [0, "", ""], [0, ":0", ""]])
def test_a_service_that_publishes_nothing_is_said(client, compose, answer):
    client.answer(port=answer)
    with pytest.raises(StartFailed, match=r"does not publish port 5432 of its service postgres.*"):
        compose.url("postgres", "pw")


def test_data_are_removed_with_the_file_that_knows_them(client, compose):
    client.answer(down=[1, "", "volume is in use"])
    with pytest.raises(DockerRefused, match="volume is in use"):
        compose.remove()
    assert (compose.home / "compose.env").exists()
    client.answer()
    compose.remove()
    assert client.calls[-1][-4:] == ["down", "--volumes", "--timeout", "3"]
    assert not (compose.home / "compose.env").exists()


def test_a_folder_that_never_used_it_has_nothing(tmp_path):
    assert Compose.of_earlier(tmp_path, tmp_path) is None

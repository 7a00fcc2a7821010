"""The servers of a `compose.yaml`, by the command `docker compose`."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.errors import DockerRefused, StartFailed
from genpulse.dev.processes.child import Command
from genpulse.dev.processes.ports import LOOPBACK
from genpulse.dev.servers.secrets import Secrets
from genpulse.dev.state import write_private

NAME = "docker"
FILE = "compose.yaml"
_VARIABLES = "compose.env"
_PORTS = {"postgres": 5432, "redis": 6379}
_ASK_S = 20.0
_START_S = 600
_STOP_S = 3
_PACKAGE = Path(__file__).parents[2]
_INSTEAD = "or leave --services docker away: then genpulse dev starts servers by itself"


@dataclass(frozen=True, slots=True)
class Compose:
    """A `compose.yaml` with everything that is needed to use it."""

    program: Path
    file: Path
    home: Path
    project: str

    @classmethod
    def lay_out(cls, folder: Path, home: Path, secrets: Secrets) -> "Compose":
        """Find the program and the file, and write down its variables. Raises `DockerRefused`."""
        program = docker_program()
        file = compose_file(folder)
        check_engine(program)
        variables = {
            "DEV_PASSWORD": secrets.password,
            "DEV_POSTGRES_PORT": str(secrets.postgres_port),
            "DEV_REDIS_PORT": str(secrets.redis_port),
            "COMPOSE_PROJECT_NAME": project_name(home),
        }
        write_private(home / _VARIABLES, "".join(f"{name}={value}\n" for name, value in variables.items()))
        return cls(program, file, home, variables["COMPOSE_PROJECT_NAME"])

    @classmethod
    def of_earlier(cls, folder: Path, home: Path) -> "Compose | None":
        """The containers of an earlier start; None when there was none. Raises `DockerRefused`."""
        if not (home / _VARIABLES).exists():
            return None
        program, file = docker_program(), compose_file(folder)
        check_engine(program)
        return cls(program, file, home, project_name(home))

    def up(self, names: Sequence[str]) -> Command:
        """Start these and wait until they are healthy, which takes longer while images are fetched."""
        options = ("--detach", "--wait", "--wait-timeout", str(_START_S))
        return Command(NAME, self._words("up", *options, *names), self._environment, self.file.parent)

    def stop(self, names: Sequence[str]) -> None:
        """Stop these; their data stay."""
        self._ask("stop", "--timeout", str(_STOP_S), *names)

    def remove(self) -> None:
        """Remove the containers and their data. Raises `DockerRefused` when Docker does not."""
        process = self._ask("down", "--volumes", "--timeout", str(_STOP_S))
        if process.returncode != 0:
            raise DockerRefused(
                f"`docker compose down` failed, and data may be left: {_last_line(process.stderr)}"
            )
        (self.home / _VARIABLES).unlink()

    def url(self, name: str, password: str) -> str:
        """How to reach a server that is up. Raises `StartFailed`."""
        process = self._ask("port", name, str(_PORTS[name]))
        host, _, port = _last_line(process.stdout).rpartition(":")
        if process.returncode != 0 or not port.isdecimal() or int(port) == 0:
            why = f"{self.file} does not publish port {_PORTS[name]} of its service {name}"
            raise StartFailed(name, why, process.stderr.strip())
        host = LOOPBACK if host in {"", "0.0.0.0", "[::]"} else host
        if name == "postgres":
            return f"postgresql://genpulse:{password}@{host}:{port}/genpulse?sslmode=disable"
        return f"redis://:{password}@{host}:{port}/0"

    @property
    def _environment(self) -> Mapping[str, str]:
        """This process's environment without the variables of the file, so that the file's values count."""
        lines = (self.home / _VARIABLES).read_text().splitlines()
        names = {line.partition("=")[0] for line in lines}
        return {name: value for name, value in os.environ.items() if name not in names}

    def _words(self, *verb: str) -> list[str]:
        place = [
            "--env-file",
            str(self.home / _VARIABLES),
            "--project-name",
            self.project,
            "--file",
            str(self.file),
        ]
        return [str(self.program), "compose", *place, *verb]

    def _ask(self, *verb: str) -> "subprocess.CompletedProcess[str]":
        return _run(self._words(*verb), self._environment)


def project_name(home: Path) -> str:
    """The Compose project of this folder, unlike that of another folder of the same name."""
    return f"genpulse-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]}"


def docker_program(search: str | None = None) -> Path:
    """The client. Raises `DockerRefused`."""
    program = shutil.which("docker", path=search)
    if program is None:
        raise DockerRefused(f"There is no `docker` on PATH. Install Docker with its Compose plug-in, {_INSTEAD}.")
    return Path(program)


def compose_file(folder: Path, package: Path = _PACKAGE) -> Path:
    """The project's own, else the one that GenPulse was installed with. Raises `DockerRefused`."""
    for file in (folder / FILE, package / "defaults" / FILE, package.parent / FILE):
        if file.is_file():
            return file
    raise DockerRefused(
        f"There is no {FILE} in {folder}, and this installation brings none. Copy the one of GenPulse's repository"
        f" there (its services are named postgres and redis), {_INSTEAD}."
    )


def check_engine(program: Path) -> None:
    """Raises `DockerRefused` unless the engine answers and the Compose plug-in is there."""
    info = _run([str(program), "info", "--format", "{{.ServerVersion}}"], os.environ)
    if info.returncode != 0:
        raise DockerRefused(
            f"{program} is there and its engine does not answer: {_last_line(info.stderr)} Start Docker,"
            f" {_INSTEAD}."
        )
    plug_in = _run([str(program), "compose", "version"], os.environ)
    if plug_in.returncode != 0:
        raise DockerRefused(
            f"{program} has no Compose plug-in: {_last_line(plug_in.stderr)} Install it (the package is mostly"
            f" named docker-compose-plugin or docker-compose-v2), {_INSTEAD}."
        )


def _run(words: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run it to its end; one that does not end, or cannot begin, has failed."""
    try:
        return subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"no answer within {_ASK_S:g} s.")
    except OSError as error:
        return subprocess.CompletedProcess(words, 1, "", f"it cannot be run: {error.strerror}.")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."

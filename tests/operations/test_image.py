"""The steps of the Dockerfile, by its own script into a folder, and a service of production started from there.

No container engine is used: what only an engine does (users, layers, HEALTHCHECK) is not shown here.
"""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from genpulse.dev.processes.ports import free_port
from tests.acceptance.flow_team import Team
from tests.integration.branching.clones import ENVIRONMENT, Clone
from tests.operations.tools import ROOT, path_of

UP_S = 120.0
TAG = "v0.1.0"


def test_the_dockerfile_is_without_findings():
    done = subprocess.run(
        [path_of("hadolint"), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """This work tree as a repository of its own, whose tag v0.1.0 was released by the flow."""
    home = tmp_path_factory.mktemp("released")
    bare, folder = home / "origin.git", home / "work"
    bare.mkdir()
    folder.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    team = Team(folder, bare)
    team.git("init", "-q", "--bare", str(bare))
    team.git("init", "-q", "-b", "main")
    team.git("add", "-A")
    team.git("commit", "-qm", "Begin")
    team.git("remote", "add", "origin", str(bare))
    team.push("main:main", "main:test", "main:dev")
    for lane in ("test", "dev"):
        team.git("fetch", "-q")
        team.git("switch", "-qc", lane, f"origin/{lane}")
    team.work("feature/x", "x.txt", "x\n")
    team.flow("promote", "test", "--merge")
    team.flow("rc", "--version", TAG[1:])
    team.flow("promote", "main", "--merge")
    team.flow("release")
    team.git("checkout", "-q", TAG)
    return Clone(folder, bare)


@pytest.fixture(scope="module")
def venv(released, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    environment = {
        **os.environ,
        **{name: ENVIRONMENT[name] for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")},
    }
    subprocess.run(
        [released.folder / "deploy/image/build.sh", "all", folder], env=environment, check=True, timeout=900
    )
    return folder / "venv"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() or path.is_dir()
    }


class Image:
    """Commands of the image, as a container of production has them."""

    def __init__(self, venv, folder, database_url, redis_url):
        self.venv, self.folder, self.port = venv, folder, free_port()
        (folder / "spool").mkdir()
        self.environment = {
            "PATH": f"{venv}/bin:{os.defpath}",
            "HOME": str(folder),
            "ENV": "main",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GENPULSE_DATABASE_URL": database_url,
            "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true",
            "GENPULSE_DATABASE__ALLOW_PLAINTEXT": "true",
            "GENPULSE_REDIS__URL": redis_url,
            "GENPULSE_REDIS__ALLOW_PLAINTEXT": "true",
            "GENPULSE_STORAGE__URL": (folder / "storage").as_uri(),
            "GENPULSE_STORAGE__ALLOW_LOCAL": "true",
            "GENPULSE_STORAGE__SPOOL_DIR": str(folder / "spool"),
            "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlzIGtleSBvZiB0aGUgdGVzdHM=",
            "GENPULSE_API__PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "GENPULSE_API__HOST": "127.0.0.1",
            "GENPULSE_API__PORT": str(self.port),
            "GENPULSE_API__DRAIN_S": "0",
            "GENPULSE_WORKER__HEALTH_FILE": str(folder / "life"),
        }
        self._processes = []

    def call(self, *arguments):
        return subprocess.run(
            [self.venv / "bin/genpulse", *arguments],
            cwd=self.venv.parent,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *arguments):
        done = self.call(*arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start(self, name):
        with (self.folder / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                [self.venv / "bin/genpulse", name],
                cwd=self.venv.parent,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._processes.append(process)
        return process

    def stop(self):
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        return [process.wait(60) for process in self._processes]

    def until(self, holds):
        deadline = time.monotonic() + UP_S
        while not holds():
            logs = "\n".join(path.read_text() for path in self.folder.glob("*.log"))
            assert time.monotonic() < deadline, logs
            time.sleep(0.2)

    def ask(self, path, key=None, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                raise
            return None


@pytest.fixture
def image(venv, tmp_path, database_url, redis_url):
    image = Image(venv, tmp_path, database_url, redis_url)
    yield image
    image.stop()


def test_the_first_start_of_production_out_of_the_image(image, released):
    before = contents(image.venv)
    print(f"size of the image's folder: {sum(p.lstat().st_size for p in image.venv.rglob('*')) / 1e6:.0f} MB")
    refused = image.call("api")
    assert refused.returncode == 78, refused.stderr
    image.run("db", "upgrade")
    image.run("env", "stamp")
    key = json.loads(image.run("keys", "create", "--name", "first", "--json"))["key"]
    image.start("api")
    worker = image.start("worker")
    image.until(lambda: image.ask("/readyz"))
    assert TAG in json.dumps(image.ask("/readyz"))
    probe = healthcheck()
    assert subprocess.run(probe, env=image.environment, check=False).returncode == 0
    image.until((image.folder / "life").exists)
    assert image.call("worker", "--health").returncode == 0

    task = image.ask("/v1/tasks", key, {"model": "sandbox/noop", "input": {"output_bytes": 10}})
    image.until(lambda: image.ask(f"/v1/tasks/{task['id']}", key)["status"] == "succeeded")

    worker.send_signal(signal.SIGSTOP)  # a loop that does not turn
    image.until(lambda: image.call("worker", "--health").returncode == 1)
    worker.send_signal(signal.SIGCONT)
    image.until(lambda: image.call("worker", "--health").returncode == 0)

    assert image.stop() == [-signal.SIGTERM, 0], "uvicorn ends by the signal that it was told to stop by"
    assert subprocess.run(probe, env=image.environment, check=False, capture_output=True).returncode != 0
    assert contents(image.venv) == before, "the image is not read only"


def healthcheck():
    """The command of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    (line,) = (line for line in text.splitlines() if line.startswith("HEALTHCHECK"))
    return json.loads(line.partition("CMD ")[2])


def test_what_was_built_is_all_that_the_last_stage_takes():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("COPY --from")] == ["COPY --from=build /app /app"]
    assert [Path(line.split()[1]).name for line in lines if "build.sh" in line and line.startswith("RUN")] == [
        "build.sh"
    ] * 3

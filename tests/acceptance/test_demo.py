"""`genpulse demo`, as somebody runs it who has nothing."""

import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import av
import psutil
import pytest
from PIL import Image

from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import remove_home
from tests import command
from tests.acceptance.dev_stack import Dev

BARE = {"PATH": os.defpath, "LANG": "C.UTF-8"}


def demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    temporary = folder / "tmp"
    temporary.mkdir()
    return subprocess.run(
        [sys.executable, "-m", "genpulse", "demo"],
        cwd=folder,
        env={**BARE, "HOME": str(folder / "no-home"), "TMPDIR": str(temporary), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def processes_of(folder: Path) -> list[str]:
    return [
        " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in part for part in process.info["cmdline"] or ())
    ]


def test_it_makes_three_files_that_open_and_leaves_nothing_else(tmp_path):
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "genpulse-demo"
    assert sorted(path.name for path in made.iterdir()) == ["picture.png", "speech.wav", "video.mp4"]
    for path in made.iterdir():
        assert f"genpulse-demo/{path.name}" in done.stdout
    with Image.open(made / "picture.png") as picture:
        picture.load()
        assert picture.size == (768, 768)
    with av.open(str(made / "video.mp4")) as video:
        assert len(list(video.decode(video=0))) == 72
    with wave.open(str(made / "speech.wav")) as speech:
        assert speech.getnframes() / speech.getframerate() > 2
    assert "picture" in done.stderr
    assert "100%" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
    assert processes_of(tmp_path) == []
    assert not (tmp_path / ".genpulse").exists()


@pytest.mark.parametrize("verb", ["demo", "demo --here", "dev"])
@pytest.mark.parametrize("environment", ["test", "main"])
def test_it_runs_in_development_alone(tmp_path, verb, environment):
    done = command.run(*verb.split(), folder=tmp_path, environment={**BARE, "ENV": environment})
    assert done.returncode == 1
    assert f"genpulse {verb} starts local services and runs only with ENV=dev" in done.stderr
    assert "ENV in the process environment" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_nothing_that_is_configured_is_used(tmp_path):
    """Neither what the shell says nor what the project says, which is broken here besides."""
    (tmp_path / ".env").write_text("GENPULSE_DATABASE_URL=postgresql://u:p@127.0.0.1:1/d\nGENPULSE_NONSENSE=1\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("default: {nonsense: 1}\n")
    done = demo(
        tmp_path,
        GENPULSE_DATABASE_URL="postgresql://u:p@127.0.0.1:1/d",
        GENPULSE_REDIS__URL="redis://127.0.0.1:1/0",
        GENPULSE_STORAGE__URL="s3://bucket",
        GENPULSE_STORAGE__ENDPOINT="http://127.0.0.1:1",
        GENPULSE_WORKER__CONCURRENCY="nonsense",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "genpulse-demo").iterdir())) == 3


@pytest.mark.slow
def test_here_it_uses_the_project_and_leaves_the_tasks(tmp_path):
    def genpulse(*arguments):
        return command.run(*arguments, folder=tmp_path, environment={**BARE, "GENPULSE_API__PORT": str(port)})

    port = free_port()
    try:
        done = genpulse("demo", "--here", "-o", "first")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"http://127.0.0.1:{port}" in done.stdout
        assert processes_of(tmp_path) == []
        dev = Dev(tmp_path, "--no-reload")
        dev.start()
        again = dev.genpulse("demo", "--here", "-o", "second")
        assert again.returncode == 0, again.stdout + again.stderr
        assert f"Submitting three tasks to {dev.url}" in again.stdout
        assert len(json.loads(dev.genpulse("tasks", "list", "--json").stdout)) == 6
        dev.end(signal.SIGINT)
    finally:
        remove_home(tmp_path / ".genpulse")
    assert len([*(tmp_path / "first").iterdir(), *(tmp_path / "second").iterdir()]) == 6

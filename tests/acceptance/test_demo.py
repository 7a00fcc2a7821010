"""`genpulse demo`, as somebody runs it who has nothing."""

import os
import subprocess
import sys
import wave
from pathlib import Path

import av
import psutil
import pytest
from PIL import Image

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
        timeout=110,
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


@pytest.mark.parametrize("verb", ["demo", "dev"])
@pytest.mark.parametrize("environment", ["test", "main"])
def test_it_runs_in_development_alone(tmp_path, verb, environment):
    done = subprocess.run(
        [sys.executable, "-m", "genpulse", verb],
        cwd=tmp_path,
        env={**BARE, "ENV": environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"genpulse {verb} starts local services and runs only with ENV=dev" in done.stderr
    assert "ENV in the process environment" in done.stderr
    assert list(tmp_path.iterdir()) == []

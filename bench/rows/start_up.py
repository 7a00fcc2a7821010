"""How long everything takes to start."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.rounds import Goal, Result, taking_turns
from bench.stack import Stack

GENPULSE = [sys.executable, "-m", "genpulse"]


def measure(stack: Stack) -> Result:
    """Programs take turns with `python -c pass`; the dev stack starts twice in an empty folder, cold and warm."""
    series = taking_turns(
        {
            "python -c pass": lambda: _run([sys.executable, "-c", "pass"]),
            "import genpulse": lambda: _run([sys.executable, "-c", "import genpulse"]),
            "genpulse --help": lambda: _run([*GENPULSE, "--help"]),
            "api ready": lambda: _ready(lambda: stack.api()),
            "worker ready, all providers": lambda: _ready(lambda: stack.worker()),
        },
        stack.size.rounds,
        "s",
    )
    cold, warm = taking_turns({"dev stack, cold": _cold, "dev stack, warm": _warm}, min(stack.size.rounds, 3), "s")
    by_name = {one.name: one.median for one in (*series, cold, warm)}
    goals = tuple(
        Goal(name, by_name[name], bound, at_least=False, unit="s")
        for name, bound in (
            ("genpulse --help", 0.3),
            ("api ready", 1.5),
            ("worker ready, all providers", 1.5),
            ("dev stack, warm", 4.0),
            ("dev stack, cold", 12.0),
        )
    )
    return Result("start", (*series, cold, warm), goals)


def _run(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def _ready(open_process: Callable[[], object]) -> float:
    began = time.perf_counter()
    with open_process():
        return time.perf_counter() - began


_FOLDER = Path(tempfile.gettempdir()) / f"genpulse-bench-dev-{os.getpid()}"


def _cold() -> float:
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(mode=0o711)
    (_FOLDER / "config").mkdir()
    (_FOLDER / "config/config.yaml").write_text("default: {}\n")
    return _dev()


def _warm() -> float:
    took = _dev()
    shutil.rmtree(_FOLDER, ignore_errors=True)
    return took


def _dev() -> float:
    """Until it says that it is up."""
    began = time.perf_counter()
    words = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": _FOLDER}
    environment = {"PATH": os.environ["PATH"], "HOME": str(_FOLDER), "GENPULSE_API__PORT": "18998"}
    with subprocess.Popen([*GENPULSE, "dev", "--no-reload"], env=environment, **words) as process:
        for line in process.stdout:
            if "GenPulse is up" in line:
                took = time.perf_counter() - began
                process.terminate()
                process.communicate()
                return took
    raise SystemExit("the dev stack did not come up")

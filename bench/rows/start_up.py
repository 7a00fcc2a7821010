"""How long everything takes to start, and what memory it has then."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.rounds import Goal, Result, Series, taking_turns
from bench.stack import Stack

BOUNDS = (
    ("genpulse --help", 0.3),
    ("api ready", 1.5),
    ("worker ready, all providers", 1.5),
    ("dev stack, warm", 3.0),
    ("dev stack, cold", 12.0),
    ("api at rest, RSS", 90.0),
    ("worker at rest, RSS", 110.0),
)
SETTLED_S = 2.0
GENPULSE = [sys.executable, "-m", "genpulse"]


def measure(stack: Stack) -> Result:
    """Programs take turns with `python -c pass`; the dev stack starts twice in an empty folder, cold and warm."""
    memory = _at_rest(stack)
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
    every = (*series, cold, warm, *memory)
    by_name = {one.name: one for one in every}
    goals = tuple(
        Goal(name, by_name[name].median, bound, at_least=False, unit=by_name[name].unit) for name, bound in BOUNDS
    )
    note = (
        f"Memory is that of processes {SETTLED_S:g} s after they are ready, with every provider and every door."
        " PSS counts a page that several processes share by parts."
    )
    return Result("start", every, goals, note)


def _at_rest(stack: Stack) -> tuple[Series, ...]:
    with stack.api():
        api = _memory(stack.child("api"))
    with stack.worker() as process:
        worker = _memory(process)
    return tuple(
        Series(f"{name}, {kind}", "MB", (figure,))
        for name, figures in {"api at rest": api, "worker at rest": worker}.items()
        for kind, figure in figures.items()
    )


def _memory(process: psutil.Process) -> dict[str, float]:
    time.sleep(SETTLED_S)
    memory = process.memory_full_info()
    return {"RSS": memory.rss / 1e6, "PSS": memory.pss / 1e6}


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

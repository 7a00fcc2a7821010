"""Two million no-ops, as many as a busy installation has in a week: how the memory of its processes grows."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

from bench.rounds import Curve, Goal, Result, Series
from bench.stack import ROOT, Stack

TASKS = 2_000_000
WAITING = 5_000
LOOK_S = 1.0
WARM = 0.2
"""Of all that is done: until then caches fill."""
PART = 0.1
"""Of all that is done, over which memory is taken at the beginning and at the end."""
MOST_GROWTH = 1.05
POINTS = 300


def measure(stack: Stack) -> Result:
    """Once: 20 minutes and more. A queue of some thousands is kept full until the last task has ended."""
    count = max(int(TASKS * stack.size.share), 1_000)
    with stack.api() as (url,), stack.worker() as worker:
        processes = {"api": stack.child("api"), "worker": worker}
        words = [sys.executable, "-m", "bench.load.kept_full", url, str(count), str(WAITING)]
        environment = {**os.environ, **stack.environment}
        began = time.monotonic()
        with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as load:
            samples = _sampled(load, processes, began)
        if load.returncode:
            raise SystemExit("bench.load.kept_full failed")
        took_s = time.monotonic() - began
    ended = stack.value("SELECT count(*) FROM tasks WHERE status = 'succeeded'")
    if ended != count:
        raise SystemExit(f"{ended:,} of {count:,} tasks have succeeded")
    series, goals, curves = [Series("tasks a second", "/s", (count / took_s,))], [], []
    for name, points in samples.items():
        first, last = _about(points, WARM), _about(points, 1.0 - PART)
        series += [Series(f"{name}, when warm", "MB", (first,)), Series(f"{name}, at the end", "MB", (last,))]
        goals.append(Goal(f"of the RSS of the {name} when warm", last / first, MOST_GROWTH, at_least=False))
        curves.append(Curve(f"RSS of the {name}", "s", "MB", _thinned(points)))
    note = (
        f"{count:,} tasks in {took_s / 60:.1f} minutes, with one api and one worker; at most {WAITING:,} wait."
        f" Warm is the tenth after the first {WARM:.0%} of the time."
    )
    return Result("memory over a week's load", tuple(series), tuple(goals), note, curves=tuple(curves))


Points = Sequence[tuple[float, float]]


def _sampled(
    load: subprocess.Popen, processes: dict[str, psutil.Process], began: float
) -> dict[str, list[tuple[float, float]]]:
    """Seconds since the begin and MB, by process."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in processes}
    while load.poll() is None:
        for name, process in processes.items():
            samples[name].append((time.monotonic() - began, process.memory_info().rss / 1e6))
        time.sleep(LOOK_S)
    return samples


def _about(points: Points, share: float) -> float:
    """The median over a tenth of the time, from this share of it on."""
    begin = points[-1][0] * share
    end = points[-1][0] * (share + PART)
    return statistics.median(size for at, size in points if begin <= at <= end)


def _thinned(points: Points) -> tuple[tuple[float, float], ...]:
    step = max(len(points) // POINTS, 1)
    return tuple((round(at, 1), round(size, 2)) for at, size in (*points[::step], points[-1]))

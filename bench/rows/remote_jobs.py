"""10,000 jobs at a vendor, held and polled by one worker."""

import json
import sys
import time
import urllib.request

from bench.rounds import Goal, Result, Series
from bench.stack import ROOT, Stack, cpu_s

JOBS = 10_000
LAST_S = 60
LONGEST_GAP_S = 11.0
"""10 s, and the tenth by which intervals are spread."""


def measure(stack: Stack) -> Result:
    """Once: it takes a minute and more, whatever else runs."""
    jobs = max(int(JOBS * stack.size.share), 500)
    lasts_s = LAST_S if stack.size.share == 1 else 4
    vendor = [sys.executable, "-m", "bench.load.vendor", str(lasts_s)]
    with stack.process("vendor", vendor, "listening at") as stub:
        base_url = stub.last_lines.split()[-1]
        environment = {
            "PYTHONPATH": str(ROOT / "bench/plug_in"),
            "GENPULSE_PROVIDERS__BENCH__BASE_URL": base_url,
            "GENPULSE_WORKER__CONCURRENCY": str(jobs),
        }
        with stack.api(environment=environment) as (url,):
            stack.load("fill", url, str(jobs), "bench/jobs")
        with stack.worker(**environment) as worker:
            began, began_s, rss = time.monotonic(), cpu_s(worker), 0
            while stack.value("SELECT EXISTS (SELECT 1 FROM tasks WHERE finished_at IS NULL)"):
                rss = max(rss, worker.memory_info().rss)
                time.sleep(0.5)
            share = (cpu_s(worker) - began_s) / (time.monotonic() - began)
        with urllib.request.urlopen(f"{base_url}/figures") as answer:
            figures = json.load(answer)
    ended = stack.value("SELECT count(*) FROM tasks WHERE status = 'succeeded'")
    gaps = figures["gaps"]
    lag = max(gaps[int(len(gaps) * 0.99)] - LONGEST_GAP_S, 0.0)
    series = (
        Series("polls a second", "/s", (figures["polls"] / lasts_s,)),
        Series("RSS of the worker", "MB", (rss / 1e6,)),
        Series("processor of the worker", "cores", (share,)),
        Series("longest gap between polls, p99", "s", (gaps[int(len(gaps) * 0.99)],)),
    )
    goals = (
        Goal("RSS", rss / 1e6, 250, at_least=False, unit="MB"),
        Goal("lag of polls, p99", lag, 1.0, at_least=False, unit="s"),
        Goal("of one core", share, 1.0, at_least=False),
        Goal("jobs lost", float(jobs - ended), 0, at_least=False, unit=""),
        Goal("jobs submitted twice", float(figures["jobs"] - jobs), 0, at_least=False, unit=""),
    )
    per_poll = share * lasts_s / max(figures["polls"], 1) * 1e6
    note = f"{jobs:,} jobs of {lasts_s} s, polled every 2 s growing to 10 s."
    return Result("remote jobs in flight in one worker", series, goals, note, {"poll_cpu_us": per_poll})

"""10,000 jobs at a vendor, held and polled by one worker, and by aiohttp alone."""

import json
import sys
import time
import urllib.request
from dataclasses import dataclass

import psutil

from bench.rounds import Goal, Result, Series
from bench.stack import ROOT, Stack, cpu_s

JOBS = 10_000
LAST_S = 90
LONGEST_GAP_S = 11.0
"""10 s, and the tenth by which intervals are spread."""
LOOK_S = 0.5


def measure(stack: Stack) -> Result:
    """Once: it takes minutes, whatever else runs."""
    jobs = max(int(JOBS * stack.size.share), 500)
    lasts_s = LAST_S if stack.size.share == 1 else 8
    bare = _bare(stack, jobs, lasts_s)
    ours, figures, rss, ran_s = _ours(stack, jobs, lasts_s)
    ended = stack.value("SELECT count(*) FROM tasks WHERE status = 'succeeded'")
    gaps = figures["gaps"]
    longest_s = gaps[int(len(gaps) * 0.99)]
    series = (
        Series("polls a second while all are in flight", "/s", (ours.polls_per_s,)),
        Series("RSS of the worker", "MB", (rss / 1e6,)),
        Series("processor of the worker while all are in flight", "cores", (ours.cores,)),
        Series("processor of the worker from begin to end", "cores", (ran_s,)),
        Series("processor time for a poll", "µs", (ours.poll_us,)),
        Series("processor time for a poll, aiohttp alone", "µs", (bare.poll_us,)),
        Series("longest gap between polls, p99", "s", (longest_s,)),
    )
    goals = (
        Goal("RSS", rss / 1e6, 250, at_least=False, unit="MB"),
        Goal("lag of polls, p99", max(longest_s - LONGEST_GAP_S, 0.0), 1.0, at_least=False, unit="s"),
        Goal("of one core while all are in flight", ours.cores, 0.4, at_least=False),
        Goal("processor time for a poll", ours.poll_us, 200, at_least=False, unit="µs"),
        Goal("of a poll with aiohttp alone", ours.poll_us / bare.poll_us, None, at_least=False),
        Goal("jobs lost", float(jobs - ended), 0, at_least=False, unit=""),
        Goal("jobs submitted twice", float(figures["jobs"] - jobs), 0, at_least=False, unit=""),
    )
    note = (
        f"{jobs:,} jobs of {lasts_s} s, polled every 2 s growing to 10 s. All are in flight from when the vendor"
        " has taken the last one until the first one ends: renewing their leases is in what a poll takes then, and"
        " ordering, collecting and storing is not."
    )
    return Result("remote jobs in flight in one worker", series, goals, note, {"poll_cpu_us": ours.poll_us})


@dataclass(frozen=True, slots=True)
class InFlight:
    """What a process did while all jobs were in flight."""

    polls: int
    cpu_s: float
    lasted_s: float

    @property
    def poll_us(self) -> float:
        """Processor time of the process for one poll."""
        return self.cpu_s / self.polls * 1e6

    @property
    def polls_per_s(self) -> float:
        """Of the whole process."""
        return self.polls / self.lasted_s

    @property
    def cores(self) -> float:
        """Of one core."""
        return self.cpu_s / self.lasted_s


def _bare(stack: Stack, jobs: int, lasts_s: int) -> InFlight:
    with stack.process("vendor", vendor_command(lasts_s), "listening at") as stub:
        base_url = stub.last_lines.split()[-1]
        command = [sys.executable, "-m", "bench.peers.bare_polls", base_url, str(jobs)]
        with stack.process("bare", command, "bare polls begin") as child:
            return _in_flight(base_url, psutil.Process(child.pid), jobs)


def _ours(stack: Stack, jobs: int, lasts_s: int) -> tuple[InFlight, dict, float, float]:
    """Also the vendor's figures, the largest RSS in bytes, and the cores from begin to end."""
    with stack.process("vendor", vendor_command(lasts_s), "listening at") as stub:
        base_url = stub.last_lines.split()[-1]
        environment = environment_for(base_url, jobs)
        with stack.api(environment=environment) as (url,):
            stack.load("fill", url, str(jobs), "bench/jobs")
        with stack.worker(**environment) as worker:
            began, began_s = time.monotonic(), cpu_s(worker)
            found = _in_flight(base_url, worker, jobs)
            rss = worker.memory_info().rss
            while stack.value("SELECT EXISTS (SELECT 1 FROM tasks WHERE finished_at IS NULL)"):
                rss = max(rss, worker.memory_info().rss)
                time.sleep(LOOK_S)
            cores = (cpu_s(worker) - began_s) / (time.monotonic() - began)
        return found, asked(base_url, "figures"), rss, cores


def environment_for(base_url: str, jobs: int) -> dict[str, str]:
    """What api and worker get, to know the stub and to hold so many of its jobs."""
    return {
        "PYTHONPATH": str(ROOT / "bench/plug_in"),
        "GENPULSE_PROVIDERS__BENCH__BASE_URL": base_url,
        "GENPULSE_WORKER__CONCURRENCY": str(jobs),
    }


def vendor_command(lasts_s: int) -> list[str]:
    """The stub, whose jobs last so many seconds."""
    return [sys.executable, str(ROOT / "bench/load/vendor.py"), str(lasts_s)]


def _in_flight(base_url: str, process: psutil.Process, jobs: int) -> InFlight:
    while asked(base_url, "progress")["jobs"] < jobs:
        time.sleep(LOOK_S)
    first = last = (time.monotonic(), cpu_s(process), asked(base_url, "progress"))
    while not last[2]["ended"]:
        time.sleep(LOOK_S)
        now = (time.monotonic(), cpu_s(process), asked(base_url, "progress"))
        if now[2]["ended"] and last is not first:
            break
        last = now
    return InFlight(last[2]["polls"] - first[2]["polls"], last[1] - first[1], last[0] - first[0])


def asked(base_url: str, what: str) -> dict:
    """What the stub tells of itself."""
    with urllib.request.urlopen(f"{base_url}/{what}") as answer:
        return json.load(answer)

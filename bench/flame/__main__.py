"""`make bench-flame`: flame graphs of a submit, of an attempt and of a poll, and a table of their parts."""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.compare import tree_of
from bench.flame.drawing import draw
from bench.flame.samples import Parts, Samples, sampled
from bench.meter import metered
from bench.rows.remote_jobs import asked, environment_for, vendor_command
from bench.stack import ORDER, ROOT, Size, Stack, running

SECONDS = 10
_TASKS_WAITING = 120_000
"""More than a worker runs while it is looked at."""
_JOBS, _LASTS_S, _SETTLED_S = 5_000, 3600, 20.0
"""After that many seconds all are asked for as seldom as they ever are."""

_SUBMIT: Parts = {
    "answer: document and signed links": (
        "genpulse/api/routes",
        "genpulse/api/schemas/tasks/new_task",
        "genpulse/api/schemas/links",
        "genpulse/api/auth/signed_urls",
        "genpulse/api/responses",
        "starlette/responses",
    ),
    "who calls: key, scope, limits": ("genpulse/api/auth", "genpulse/lifecycle/budgets"),
    "body: read, JSON, schema": ("genpulse/api/requests", "genpulse/api/schemas", "pydantic"),
    "checks and the new task": ("genpulse/lifecycle", "genpulse/domain", "genpulse/provider", "<string>"),
    "statement for many: gather, send, receive": (
        "genpulse/adapters/database",
        "genpulse/adapters/postgresql",
        "asyncpg",
    ),
    "HTTP: parsing, ASGI, writing": ("uvicorn", "genpulse/api/server"),
    "middleware: id, problems, metrics": (
        "genpulse/api/",
        "prometheus_client",
        "starlette",
    ),
    "event loop and everything else": ("asyncio",),
}
_ATTEMPT: Parts = {
    "claim: statement and rows": (
        "genpulse/adapters/database/queue",
        "genpulse/adapters/database/tasks/starting_attempts",
        "genpulse/worker/claim",
        "genpulse/lifecycle/claim",
    ),
    "end: statement for many": ("genpulse/adapters/database", "genpulse/adapters/postgresql", "asyncpg"),
    "events: Redis": ("genpulse/adapters/redis", "redis", "hiredis"),
    "the attempt: route, limits, outcome": ("genpulse/lifecycle", "genpulse/domain", "<string>"),
    "provider": ("genpulse/provider", "genpulse/providers", "genpulse/testing"),
    "worker: slots, leases, metrics": ("genpulse/worker", "genpulse/background", "prometheus_client"),
    "event loop and everything else": ("asyncio",),
}

_POLL: Parts = {
    "leases: renewed for all jobs": ("genpulse/adapters/database", "asyncpg", "genpulse/worker"),
    "question: pauses, bounds, interruptions": ("genpulse/lifecycle", "genpulse/background", "genpulse/domain"),
    "provider, account, JSON": ("genpulse/provider", "genpulse_bench", "json"),
    "our client": ("genpulse/adapters/http",),
    "aiohttp": ("aiohttp", "yarl", "multidict"),
    "event loop and everything else": ("asyncio",),
}


@dataclass(frozen=True, slots=True)
class _Profile:
    """What was seen of one process, and its processor time for one unit of work in microseconds."""

    samples: Samples
    process_us: float
    postgres_us: float
    redis_us: float


def main() -> None:
    """Profile this tree, or a commit by any name that git has for it."""
    parser = argparse.ArgumentParser(prog="python -m bench.flame")
    parser.add_argument("reference", nargs="?", metavar="REF", help="a commit; the working tree when not said")
    parser.add_argument("--write", metavar="FOLDER", type=Path, help="write the pictures there")
    parser.add_argument("--label", default="now", help="in the names and titles of the pictures")
    wanted = parser.parse_args()
    if wanted.reference:
        with tree_of(wanted.reference, parser.error) as tree:
            _profile(tree, wanted.write, wanted.label)
    else:
        _profile(ROOT, wanted.write, wanted.label)


def _profile(tree: Path, folder: Path | None, label: str) -> None:
    with running(Size(rounds=1, seconds=SECONDS + 2), tree) as stack:
        for name, parts, found in (
            ("submit", _SUBMIT, _of_submit(stack)),
            ("attempt", _ATTEMPT, _of_attempt(stack)),
            ("poll", _POLL, _of_poll(stack)),
        ):
            print(_table(name, parts, found), flush=True)
            if folder:
                title = f"{name}, {label}: {found.process_us:.0f} µs of processor time"
                draw(found.samples, parts, title, folder / f"flame_{name}_{label}.svg")


def _of_submit(stack: Stack) -> _Profile:
    with stack.api() as (url,):
        api, address = stack.child("api"), f"{url}/v1/tasks"
        words = {"method": "POST", "body": ORDER, "accept": 202}
        stack.requests(address, **words)
        costs: dict[str, float] = {}
        before = stack.value("SELECT count(*) FROM tasks")
        with metered(stack, api, "process", "unit", costs) as counted:
            stack.requests(address, **words)
            counted.append(stack.value("SELECT count(*) FROM tasks") - before)
        return _seen(stack, api, costs, lambda: stack.requests(address, **words))


def _of_attempt(stack: Stack) -> _Profile:
    costs: dict[str, float] = {}
    stack.fill(_TASKS_WAITING)
    with stack.worker() as worker:
        with metered(stack, worker, "process", "unit", costs) as counted:
            before = stack.value("SELECT count(*) FROM tasks WHERE finished_at IS NOT NULL")
            time.sleep(2)
            counted.append(stack.value("SELECT count(*) FROM tasks WHERE finished_at IS NOT NULL") - before)
        return _seen(stack, worker, costs, lambda: time.sleep(SECONDS))


def _of_poll(stack: Stack) -> _Profile:
    """Of jobs that are all in flight, and that none ends of."""
    costs: dict[str, float] = {}
    with stack.process("vendor", vendor_command(_LASTS_S), "listening at") as stub:
        base_url = stub.last_lines.split()[-1]
        words = environment_for(base_url, _JOBS)
        with stack.api(environment=words) as (url,):
            stack.load("fill", url, str(_JOBS), "bench/jobs")
        with stack.worker(**words) as worker:
            while asked(base_url, "progress")["jobs"] < _JOBS:
                time.sleep(0.5)
            time.sleep(_SETTLED_S)
            with metered(stack, worker, "process", "unit", costs) as counted:
                before = asked(base_url, "progress")["polls"]
                time.sleep(SECONDS)
                counted.append(asked(base_url, "progress")["polls"] - before)
            return _seen(stack, worker, costs, lambda: time.sleep(SECONDS))


def _seen(
    stack: Stack, process: psutil.Process, costs: Mapping[str, float], work: Callable[[], object]
) -> _Profile:
    samples = sampled(process.pid, SECONDS, stack.home / "samples", work)
    parts = (costs[f"{part}_cpu_us_per_unit"] for part in ("process", "postgres", "redis"))
    return _Profile(samples, *parts)


def _table(name: str, parts: Parts, found: _Profile) -> str:
    """Microseconds of processor time by part, in Markdown."""
    lines = [f"| {name} | µs | share |", "|---|---:|---:|"]
    for part, share in found.samples.by_part(parts).items():
        lines.append(f"| {part} | {share * found.process_us:.1f} | {share:.0%} |")
    lines.append(f"| **the process** | **{found.process_us:.0f}** | |")
    lines.append(f"| PostgreSQL | {found.postgres_us:.0f} | |")
    lines.append(f"| Redis | {found.redis_us:.0f} | |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()

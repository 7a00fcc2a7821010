"""Processes of the operating system that play cases, each on a PostgreSQL of its own."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context

from genpulse.dev.processes.child import Guard
from genpulse.dev.servers.postgres import Postgres
from tests.crash_points.runner import Case, Result, run_on, survey_on
from tests.server_home import throw_away_home
from tests.servers import launch


class Survey:
    """Every scenario without faults."""

    def __init__(self, lanes: int, only: tuple[str, ...]) -> None:
        self.lanes, self.only = lanes, only

    async def __call__(self, url: str) -> list[Result]:
        return await survey_on(url, self.lanes, _tell, self.only)


class Run:
    """Some cases, none of which begins after `for_s` seconds."""

    def __init__(self, lanes: int, cases: Sequence[Case], for_s: float | None = None) -> None:
        self.lanes, self.cases, self.for_s = lanes, cases, for_s

    async def __call__(self, url: str) -> list[Result]:
        until = None if self.for_s is None else time.monotonic() + self.for_s
        return await run_on(url, self.lanes, self.cases, _tell, until)


def played(cases: Sequence[Case], processes: int, lanes: int, for_s: float | None = None) -> list[Result]:
    """Play cases in so many processes, and so many at once in each."""
    if processes < 2:
        return on_a_server(Run(lanes, cases, for_s))
    parts = [Run(lanes, cases[index::processes], for_s) for index in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [result for part in pool.map(on_a_server, parts) for result in part]


def on_a_server(act: "Survey | Run") -> list[Result]:
    """Do it with a PostgreSQL that is there for it alone."""
    logging.basicConfig(level=os.environ.get("CRASH_LOG", "CRITICAL"))
    with throw_away_home() as home, closing(Guard()) as guard:
        server = launch(Postgres.lay_out, home, guard)
        try:
            return asyncio.run(act(server.url))
        finally:
            server.stop()


def _tell(result: Result) -> None:
    if result.broken:
        print(
            f"{result.case}: {'; '.join(result.broken)} ({result.took_s:.1f} s,"
            f" stood still for {result.stood_still_s:.2f} s)",
            file=sys.stderr,
            flush=True,
        )

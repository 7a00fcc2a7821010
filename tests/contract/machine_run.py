"""Runs a machine of steps over one store in PostgreSQL, the same examples in every run.

Who runs one marks it with `hypothesis` and gives it `examples`, so that `make test` runs a part of them.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool


def run_on_postgresql(
    machine: type[RuleBasedStateMachine],
    url: str,
    real: Callable[[PostgresTaskStore, PostgresTaskQueue], Any],
    *,
    examples: int,
    limits: Mapping[str, int] | None = None,
) -> None:
    """The machine finds the event loop as its `loop`, and as `real` what is made of store and queue."""
    loop = asyncio.new_event_loop()
    pool: asyncpg.Pool = loop.run_until_complete(open_pool(url, size=5, application_name="tests"))
    store, queue = PostgresTaskStore(pool, limits=limits), PostgresTaskQueue(pool, url, limits=limits)
    bound = type("Bound", (machine,), {"loop": loop, "real": real(store, queue)})
    try:
        run_state_machine_as_test(
            bound,
            settings=settings(
                max_examples=examples,
                derandomize=True,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        for end in (store.close, queue.close, pool.close):
            loop.run_until_complete(end())
        loop.close()

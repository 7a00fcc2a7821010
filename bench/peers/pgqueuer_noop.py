"""Bare PgQueuer: `fill URL COUNT` queues no-op jobs, `run URL COUNT` works them off in batches of 100.

Prints the jobs a second from the first to the last.
"""

import asyncio
import json
import sys
import time

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = 100


async def fill(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    if not await queries.schema_is_installed():
        await queries.install()
    for _ in range(count // 1000):
        await queries.enqueue(["noop"] * 1000, [b"x" * 16] * 1000, [0] * 1000)
    await connection.close()


async def run(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    queuer = PgQueuer(AsyncpgDriver(connection))
    began = ended = 0.0
    done = 0

    @queuer.entrypoint("noop")
    async def noop(_: Job) -> None:
        nonlocal began, ended, done
        began = began or time.perf_counter()
        done += 1
        if done == count:
            ended = time.perf_counter()
            queuer.shutdown.set()

    await queuer.run(batch_size=BATCH)
    print(json.dumps({"per_second": count / (ended - began)}))


asyncio.run({"fill": fill, "run": run}[sys.argv[1]](sys.argv[2], int(sys.argv[3])))

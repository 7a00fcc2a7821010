"""Bare PgQueuer, from the call that queues to the start of the job, at a steady rate: `URL RATE SECONDS`.

Prints the waits in seconds.
"""

import asyncio
import json
import struct
import sys
import time

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries


async def main(url: str, rate: float, seconds: float) -> None:
    queuing = Queries(AsyncpgDriver(await asyncpg.connect(url)))
    if not await queuing.schema_is_installed():
        await queuing.install()
    queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(url)))
    count, waits = int(rate * seconds), []

    @queuer.entrypoint("latency")
    async def latency(job: Job) -> None:
        waits.append(time.time() - struct.unpack("d", job.payload)[0])
        if len(waits) == count:
            queuer.shutdown.set()

    working = asyncio.create_task(queuer.run(batch_size=10))
    await asyncio.sleep(1)
    began = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
        await queuing.enqueue("latency", struct.pack("d", time.time()))
    await working
    print(json.dumps(waits))


asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))

"""Keeps a queue full: `python -m bench.load.kept_full URL COUNT WAITING`, with GENPULSE_DATABASE_URL.

Submits so many no-ops in batches, never so many that more than WAITING wait, and looks at a list and a task
after each batch. Ends when the last one has ended.
"""

import asyncio
import json
import os
import sys
import time

import aiohttp
import asyncpg

BATCH = 500
LOOK_S = 0.1
TASK = {"model": "sandbox/noop", "input": {}}


async def main(url: str, count: int, most: int) -> None:
    began = time.perf_counter()
    database = await asyncpg.connect(os.environ["GENPULSE_DATABASE_URL"])
    async with aiohttp.ClientSession() as session:
        for submitted in range(0, count, BATCH):
            await no_more_than(database, most - BATCH)
            tasks = [TASK] * min(BATCH, count - submitted)
            async with session.post(f"{url}/v1/tasks/batch", json={"tasks": tasks}) as answer:
                if answer.status != 202:
                    raise SystemExit(await answer.text())
            await look(session, url)
    await no_more_than(database, 0)
    await database.close()
    print(json.dumps({"per_second": count / (time.perf_counter() - began)}))


async def no_more_than(database: asyncpg.Connection, count: int) -> None:
    while await database.fetchval("SELECT count(*) FROM queue") > count:
        await asyncio.sleep(LOOK_S)


async def look(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(f"{url}/v1/tasks?limit=20") as answer:
        page = await answer.json()
    async with session.get(f"{url}/v1/tasks/{page['data'][0]['id']}") as answer:
        await answer.read()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

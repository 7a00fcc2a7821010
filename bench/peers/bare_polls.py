"""Jobs that are polled with aiohttp and nothing else: `python -m bench.peers.bare_polls URL JOBS`.

The garbage collector searches as seldom as in a worker: with Python's own thresholds ten thousand waiting jobs are
searched so often that a poll costs twice as much.
"""

import asyncio
import json
import random
import sys

import aiohttp
import uvloop

from genpulse.background.garbage_collection import tune_garbage_collection

FIRST_S, FACTOR, LONGEST_S = 2.0, 1.3, 10.0
BEGUN_PER_S = 700
"""As many as a worker begins, more or less."""


async def main(url: str, jobs: int) -> None:
    async def job(session: aiohttp.ClientSession, number: int) -> None:
        await asyncio.sleep(number / BEGUN_PER_S)
        async with session.post(f"{url}/jobs", json={}) as answer:
            job_id = (await answer.json())["id"]
        wait_s = FIRST_S
        while True:
            async with session.get(f"{url}/jobs/{job_id}") as answer:
                if json.loads(await answer.read())["status"] == "done":
                    return
            await asyncio.sleep(wait_s * random.uniform(0.9, 1.1))
            wait_s = min(wait_s * FACTOR, LONGEST_S)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        polls = [asyncio.create_task(job(session, number)) for number in range(jobs)]
        print("bare polls begin", flush=True)
        tune_garbage_collection()
        await asyncio.gather(*polls)


uvloop.run(main(sys.argv[1], int(sys.argv[2])))

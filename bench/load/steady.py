"""Submits at a steady rate, whatever the answers: `python -m bench.load.steady URL RATE SECONDS`.

Prints when each task was sent, in seconds since 1970, by its id.
"""

import asyncio
import json
import sys
import time

import aiohttp

ORDER = b'{"model": "sandbox/noop", "input": {}}'


async def main(url: str, rate: float, seconds: float) -> None:
    sent: dict[str, float] = {}

    async def one(session: aiohttp.ClientSession) -> None:
        began = time.time()
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{url}/v1/tasks", data=ORDER, headers=headers) as answer:
            sent[(await answer.json())["id"]] = began

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as requests:
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
            requests.create_task(one(session))
    print(json.dumps(sent))


asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))

"""Submits tasks in batches: `python -m bench.load.fill URL COUNT MODEL [INPUT]`."""

import asyncio
import json
import sys

import aiohttp

LARGEST = 1000


async def main(url: str, count: int, model: str, given: str = "{}") -> None:
    async with aiohttp.ClientSession() as session:
        left = count
        while left > 0:
            tasks = [{"model": model, "input": json.loads(given)}] * min(left, LARGEST)
            async with session.post(f"{url}/v1/tasks/batch", json={"tasks": tasks}) as answer:
                if answer.status != 202:
                    raise SystemExit(await answer.text())
            left -= LARGEST
    print(json.dumps({"submitted": count}))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))

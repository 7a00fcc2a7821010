"""Submits tasks over HTTP as fast as it is answered: `python -m bench.submit_load URL CLIENTS SECONDS`."""

import asyncio
import sys
import time

import aiohttp


async def main(url: str, clients: int, seconds: float) -> None:
    body = b'{"model": "sandbox/noop", "input": {}}'
    headers = {"Content-Type": "application/json"}
    until = time.monotonic() + seconds
    done = 0

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal done
        while time.monotonic() < until:
            async with session.post(f"{url}/v1/tasks", data=body, headers=headers) as response:
                await response.read()
                assert response.status == 202, response.status
                done += 1

    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.monotonic()
        await asyncio.gather(*(client(session) for _ in range(clients)))
        print(done / (time.monotonic() - started))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))

"""taskiq with Redis and the same no-op: `fill URL COUNT` queues, `taskiq worker` works off and keeps results.

The worker prints the jobs a second from the first to the last of COUNT (environment variable).
"""

import asyncio
import os
import sys
import time

from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

URL = os.environ["GENPULSE_REDIS__URL"]
COUNT = int(os.environ.get("COUNT", "0"))

results: RedisAsyncResultBackend = RedisAsyncResultBackend(URL, result_ex_time=600)
broker = ListQueueBroker(URL, queue_name="bench-taskiq", socket_timeout=None).with_result_backend(results)
_seen = [0, 0.0]


@broker.task(task_name="noop")
async def noop() -> None:
    _seen[1] = _seen[1] or time.perf_counter()
    _seen[0] += 1
    if _seen[0] == COUNT:
        print(f"per_second={COUNT / (time.perf_counter() - _seen[1])}", flush=True)


async def fill(count: int) -> None:
    await broker.startup()
    for _ in range(count):
        await noop.kiq()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))

"""A real server made to take no writes."""

import asyncio
import time
from pathlib import Path

from redis.asyncio import Redis

from genpulse.dev.processes.ports import LOOPBACK, free_port

REFUSALS = ["full", "replica", "unsaved"]


async def refuse_writes(client: Redis, refusal: str) -> None:
    """From now on the server of this administrator answers and takes no writes."""
    match refusal:
        case "full":
            await client.config_set("maxmemory-policy", "noeviction")
            await client.config_set("maxmemory", "1mb")
        case "replica":
            await client.replicaof(LOOPBACK, free_port())
        case "unsaved":
            Path((await client.config_get("dir"))["dir"]).chmod(0o555)
            await client.config_set("save", "3600 1")
            await _fail_to_save(client)


async def _fail_to_save(client: Redis) -> None:
    await client.set("anything", "1")
    await client.bgsave()
    deadline = time.monotonic() + 60
    while (await client.info("persistence"))["rdb_last_bgsave_status"] == "ok":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def take_writes_again(client: Redis) -> None:
    """Undo all of it, whichever it was."""
    await client.replicaof("NO", "ONE")
    await client.config_set("maxmemory", "0")
    await client.config_set("save", "")
    await client.config_set("stop-writes-on-bgsave-error", "no")
    Path((await client.config_get("dir"))["dir"]).chmod(0o755)

"""The Caddyfile of compose.production.yaml: a real Caddy before two real APIs, without TLS, which needs a name."""

import asyncio
import json
import os
import subprocess
import time

import aiohttp
import pytest

from genpulse.dev.processes.ports import free_port
from tests.fleet import UP_S, Fleet, until_ready
from tests.operations.tools import ROOT, path_of

UPLOAD_BYTES = 50 << 20


@pytest.fixture
def fleet(tmp_path, own_database_url, redis_url):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    fleet.environment["GENPULSE_API__DRAIN_S"] = "5"
    for _ in range(2):
        fleet.start_api()
    fleet.start_worker()
    yield fleet
    fleet.stop()


@pytest.fixture
def proxy(fleet, tmp_path):
    port = free_port()
    upstreams = " ".join(url.removeprefix("http://") for url in fleet.urls)
    environment = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "DOMAIN": f"http://127.0.0.1:{port}",
        "UPSTREAMS": upstreams,
    }
    with (tmp_path / "caddy.log").open("w") as log:
        process = subprocess.Popen(
            [path_of("caddy"), "run", "--adapter", "caddyfile", "--config", ROOT / "deploy/compose/Caddyfile"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


async def until_up(proxy, client, folder):
    deadline = time.monotonic() + UP_S
    while True:
        try:
            async with client.get(f"{proxy}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        assert time.monotonic() < deadline, (folder / "caddy.log").read_text()
        await asyncio.sleep(0.1)


async def submit(client, proxy, **inputs):
    body = {"model": "sandbox/noop", "input": inputs}
    async with client.post(f"{proxy}/v1/tasks", json=body) as answer:
        assert answer.status == 202, await answer.text()
        return await answer.json()


async def test_streams_uploads_and_an_api_that_is_told_to_stop(fleet, proxy):
    async with aiohttp.ClientSession() as client:
        await until_ready(fleet, client)
        await until_up(proxy, client, fleet.folder)

        task = await submit(client, proxy, delay_s=2, output_bytes=10)
        async with client.get(f"{proxy}/v1/tasks/{task['id']}/events") as stream:
            told = [json.loads(line[5:]) async for line in stream.content if line.startswith(b"data:")]
        statuses = [each.get("status") for each in told]
        assert statuses[0] in {"queued", "running"}, "the stream was held back until its end"
        assert statuses[-1] == "succeeded"

        (fleet.folder / "x.bin").write_bytes(os.urandom(UPLOAD_BYTES))
        with (fleet.folder / "x.bin").open("rb") as file:
            answer = await client.post(f"{proxy}/v1/uploads", data={"file": file})
        async with answer:
            assert answer.status == 201, await answer.text()
            assert proxy in json.dumps(await answer.json()), "its address names another host than the caller's"

        async with client.get(f"{proxy}/metrics") as answer:
            assert answer.status == 404

        first = fleet._processes[0]
        answers = []

        async def ask():
            while first.poll() is None or len(answers) < 50:
                answers.append((await submit(client, proxy))["id"])
                await asyncio.sleep(0.05)

        asking = asyncio.create_task(ask())
        first.terminate()
        await asking
        assert len(set(answers)) == len(answers) >= 50, "every submit was taken, once"

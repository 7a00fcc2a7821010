"""`genpulse dev`, with the whole stack up: what people will do to it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import aiohttp
import asyncpg
import pytest
from redis.asyncio import Redis

from genpulse.dev.processes.unprivileged import remove_home
from genpulse_client import AsyncGenPulse
from tests import command
from tests.acceptance.dev_stack import ENDS_WITHIN_S, Dev


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dev")
    stack = Dev(folder, "--no-reload")
    yield stack
    stack.ended()
    remove_home(folder / ".genpulse")


@pytest.fixture
def dev(stack):
    """It is up, and has whatever the tests before have left; who ends it may leave it so."""
    if not stack.is_up:
        stack.start()
    return stack


async def rows(dev, statement, tasks):
    connection = await asyncpg.connect(dev.state["database_url"])
    try:
        return await connection.fetch(statement, [task.id for task in tasks])
    finally:
        await connection.close()


async def statuses(dev, tasks):
    return Counter(row["status"] for row in await rows(dev, "SELECT status FROM tasks WHERE id = ANY($1)", tasks))


async def all_ended(dev, tasks):
    async with asyncio.timeout(ENDS_WITHIN_S):
        while (found := await statuses(dev, tasks)).keys() & {"queued", "running"}:
            await asyncio.sleep(0.2)
    return found


async def attempts(dev, tasks):
    made = await rows(dev, "SELECT task_id FROM attempts WHERE task_id = ANY($1)", tasks)
    return set(Counter(row["task_id"] for row in made).values())


async def streamed(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        lines = [line.decode() async for line in response.content]
    return [line.partition(":")[2].strip() for line in lines if line.startswith("event:")]


async def test_two_hundred_tasks_run_exactly_once_and_every_key_has_its_prefix(dev):
    async with AsyncGenPulse(dev.url) as client:
        first = await client.submit("sandbox/noop", {"delay_s": 0.5})
        before = asyncio.create_task(streamed(f"{dev.url}/v1/tasks/{first.id}/events"))
        tasks = await asyncio.gather(*(client.submit("sandbox/noop", {}) for _ in range(200)))
        assert await all_ended(dev, tasks) == {"succeeded": 200}
        assert (await asyncio.wait_for(before, ENDS_WITHIN_S))[-1] == "done"
        assert await streamed(f"{dev.url}/v1/tasks/{first.id}/events") == ["done"]
    assert await attempts(dev, tasks) == {1}
    async with Redis.from_url(dev.state["redis_url"], decode_responses=True) as redis:
        keys = await redis.keys("*")
    assert keys
    assert all(key.startswith("dev:") for key in keys)


async def test_tasks_of_a_killed_worker_are_run_again(dev):
    async with AsyncGenPulse(dev.url) as client:
        tasks = await asyncio.gather(*(client.submit("sandbox/noop", {"delay_s": 8}) for _ in range(50)))
        async with asyncio.timeout(ENDS_WITHIN_S):
            while (await statuses(dev, tasks))["running"] < 50:
                await asyncio.sleep(0.1)
        os.kill(dev.pid_of("worker"), signal.SIGKILL)
        assert await all_ended(dev, tasks) == {"succeeded": 50}
    assert min(await attempts(dev, tasks)) >= 2
    assert "worker ended with exit code 137" in dev.log


async def test_redis_away_delays_progress_and_loses_nothing(dev):
    (redis,) = [child for child in dev.children if "valkey" in child.name() or "redis" in child.name()]
    async with AsyncGenPulse(dev.url) as client:
        redis.send_signal(signal.SIGSTOP)
        try:
            task = await client.submit("sandbox/noop", {"delay_s": 1.5})
            events = await asyncio.wait_for(streamed(f"{dev.url}/v1/tasks/{task.id}/events"), ENDS_WITHIN_S)
        finally:
            redis.send_signal(signal.SIGCONT)
        assert events[-1] == "done"
        assert (await client.get(task.id)).status == "succeeded"


async def test_postgresql_away_is_said_and_then_over(dev):
    postmaster = next(child for child in dev.children if "postgres" in child.cmdline()[0])
    async with aiohttp.ClientSession() as session, AsyncGenPulse(dev.url) as client:
        await client.generate("sandbox/noop", {})
        postmaster.send_signal(signal.SIGKILL)
        body = {"model": "sandbox/noop", "input": {}}
        refused = accepted = 0
        async with asyncio.timeout(ENDS_WITHIN_S):
            while not (refused and accepted):
                async with session.post(f"{dev.url}/v1/tasks", json=body) as response:
                    assert response.status in {202, 503}, await response.text()
                    if response.status == 503:
                        refused += 1
                        assert "Retry-After" in response.headers
                    elif refused:
                        accepted += 1
                        task = await response.json()
                await asyncio.sleep(0.02)
        events = await asyncio.wait_for(streamed(f"{dev.url}/v1/tasks/{task['id']}/events"), ENDS_WITHIN_S)
        assert events[-1] == "done"


def test_commands_find_the_stack_of_their_folder(dev):
    def genpulse(*arguments):
        return command.run(*arguments, folder=dev.folder, environment={"PATH": os.defpath})

    made = genpulse("generate", "Hello there.", "-m", "sandbox/speech", "-o", "hello", "--input", "speed=1.5")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("hello.wav  (WAV, ")
    assert (dev.folder / "hello.wav").read_bytes()[:4] == b"RIFF"
    assert "100%" in made.stderr
    (task,) = json.loads(genpulse("tasks", "list", "--limit", "1", "--json").stdout)
    assert task["status"] == "succeeded"
    assert task["id"] in genpulse("tasks", "list").stdout
    assert task["id"] in genpulse("tasks", "show", task["id"]).stdout
    assert genpulse("tasks", "watch", task["id"]).returncode == 0
    refused = genpulse("tasks", "retry", task["id"])
    assert (refused.returncode, "only a failed task can run again" in refused.stderr) == (1, True)
    refused = genpulse("generate", "x", "-m", "sandbox/image", "--input", "width=1")
    assert refused.returncode == 1
    assert "/input/width" in refused.stderr
    failed = genpulse("generate", "-m", "sandbox/noop", "--input", "fail=permanent")
    assert failed.returncode == 1
    assert "provider_rejected" in failed.stderr
    raw = subprocess.run(
        [sys.executable, "-m", "genpulse", "generate", "Hi.", "-m", "sandbox/speech", "-o", "-"],
        cwd=dev.folder,
        env={"PATH": os.defpath},
        capture_output=True,
        check=True,
    )
    assert raw.stdout[:4] == b"RIFF"
    doctor = genpulse("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "PostgreSQL 18" in doctor.stdout


def test_a_demo_here_uses_the_stack_that_runs_and_leaves_the_tasks(dev):
    done = dev.genpulse("demo", "--here", "-o", "made")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Submitting three tasks to {dev.url}" in done.stdout
    assert len(list((dev.folder / "made").iterdir())) == 3
    tasks = json.loads(dev.genpulse("tasks", "list", "--limit", "3", "--json").stdout)
    assert {task["kind"] for task in tasks} == {"text-to-image", "text-to-video", "text-to-speech"}
    assert dev.is_up


def test_a_second_start_and_a_busy_port_are_answered(dev, tmp_path_factory):
    second = command.run("dev", folder=dev.folder, environment={"PATH": os.defpath})
    assert second.returncode == 1
    assert f"already running in this folder (pid {dev.process.pid})" in second.stderr
    elsewhere = tmp_path_factory.mktemp("other")
    other = command.run("dev", "--port", str(dev.port), folder=elsewhere, environment={"PATH": os.defpath})
    assert other.returncode == 1
    assert f"Port {dev.port} is taken by" in other.stderr
    assert f"(pid {dev.pid_of('api')})" in other.stderr


def test_a_kill_leaves_no_process_and_the_next_start_finds_the_data(dev):
    async def made():
        async with AsyncGenPulse(dev.url) as client:
            return await client.generate("sandbox/noop", {"output_bytes": 100})

    async def found(task_id):
        async with AsyncGenPulse(dev.url) as client:
            task = await client.get(task_id)
            return b"".join([chunk async for chunk in client.read(task.outputs[0])])

    task = asyncio.run(made())
    assert dev.end(signal.SIGKILL) == -signal.SIGKILL
    assert dev.left_behind() == []
    dev.start()
    assert len(asyncio.run(found(task.id))) == 100


def test_an_interruption_ends_the_whole_tree(dev):
    """By Ctrl-C; `genpulse dev down` does it by SIGTERM, in test_dev_verbs."""
    assert dev.end(signal.SIGINT) == 130
    assert dev.left_behind() == []
    assert not (dev.folder / ".genpulse/dev.json").exists()


@pytest.mark.slow
def test_a_change_starts_api_and_worker_again(tmp_path):
    (tmp_path / "config").mkdir()
    settings = tmp_path / "config/config.yaml"
    settings.write_text("default: {}\n")
    dev = Dev(tmp_path)
    dev.start()
    try:
        before = dev.pid_of("api"), dev.pid_of("worker")
        settings.write_text("default: {worker: {concurrency: 77}}\n")
        deadline = time.monotonic() + ENDS_WITHIN_S
        while "77 tasks at once" not in dev.log or dev.log.count("Uvicorn running on") < 2:
            assert time.monotonic() < deadline, dev.log
            if "changed: starting" not in dev.log:
                settings.touch()
                settings.write_text("default: {worker: {concurrency: 77}}\n")
            time.sleep(0.5)
        assert "changed: starting api and worker again" in dev.log
        assert not {dev.pid_of("api"), dev.pid_of("worker")} & set(before)
    finally:
        dev.ended()
        remove_home(tmp_path / ".genpulse")

"""What passes nginx, HAProxy, Caddy and Traefik by the files in deploy/, and what does not."""

import asyncio
import json
import os
import re
import time

import aiohttp
import pytest

from genpulse.dev.processes.ports import free_port
from tests.fleet import UP_S, Fleet, until_ready
from tests.operations import proxies
from tests.operations.tools import ROOT

UPLOAD_BYTES = 50 << 20
LONGEST_WAIT_S = 60
WAITING = 8
CALLERS, STREAMS, WORKERS = 8, 10, 3
LEAST_REQUESTS = 780
ELSEWHERE = {
    "X-Forwarded-Proto": "http",
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "for=1;proto=http;host=evil",
}


@pytest.fixture
def fleet(tmp_path, own_database_url, redis_url):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    fleet.environment |= {"GENPULSE_API__DRAIN_S": "5", "GENPULSE_API__LONGEST_WAIT_S": str(LONGEST_WAIT_S)}
    for _ in range(2):
        fleet.start_api()
    fleet.start_worker()
    yield fleet
    fleet.stop()


@pytest.fixture(params=proxies.NAMES)
def proxy(request, fleet, tmp_path):
    proxy = proxies.start(request.param, fleet.urls, tmp_path / request.param)
    yield proxy
    proxy.stop()


@pytest.fixture
async def client(fleet, proxy):
    """A client of the proxy, once all that is behind it is ready."""
    async with aiohttp.ClientSession() as direct:
        await until_ready(fleet, direct)
    async with client_of(proxy) as session:
        await until_up(proxy, session)
        yield session


def client_of(proxy):
    # What waits for minutes here waits for the machine, which others work on as well.
    times = aiohttp.ClientTimeout(total=None, sock_read=600)
    connector = aiohttp.TCPConnector(ssl=proxy.trust, limit=0)
    return aiohttp.ClientSession(proxy.url, connector=connector, timeout=times)


async def until_up(proxy, session, path="/readyz"):
    deadline = time.monotonic() + UP_S
    while True:
        try:
            async with session.get(path) as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        assert time.monotonic() < deadline, proxy.log.read_text()
        await asyncio.sleep(0.1)


async def submitted(session, *, path="/v1/tasks", headers=None, **words):
    body = {"model": "sandbox/noop", "input": {}, **words}
    async with session.post(path, json=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()
        return await answer.json()


async def test_uploads_events_schemes_and_words_of_callers(client, proxy, tmp_path):
    (tmp_path / "x.bin").write_bytes(os.urandom(UPLOAD_BYTES))
    with (tmp_path / "x.bin").open("rb") as file:
        async with client.post("/v1/uploads", data={"file": file}) as answer:
            assert answer.status == 201, await answer.text()
            asset = await answer.json()
    assert asset["url"].startswith(f"{proxy.url}/v1/assets/"), "its address names another host, or another scheme"
    async with client.get(asset["url"].removeprefix(proxy.url)) as answer:
        assert len(await answer.read()) == UPLOAD_BYTES

    task = await submitted(client, headers=ELSEWHERE, input={"delay_s": 2})
    assert task["urls"]["self"] == f"{proxy.url}/v1/tasks/{task['id']}", "a caller says how it came"
    async with client.get(f"/v1/tasks/{task['id']}/events") as stream:
        told = [json.loads(line[5:]) async for line in stream.content if line.startswith(b"data:")]
    statuses = [each.get("status") for each in told]
    assert statuses[0] in {"queued", "running"}, "the stream was held back until its end"
    assert statuses[-1] == "succeeded"
    async with client.get("/metrics") as answer:
        assert answer.status == 404


async def test_waiting_callers_are_answered_at_the_bound_and_nobody_else_pays_for_it(client):
    put_off = {"run_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}

    async def wait():
        began_at = time.monotonic()
        body = {"model": "sandbox/noop", "input": {}, **put_off}
        headers = {"Prefer": f"wait={LONGEST_WAIT_S}"}
        async with client.post("/v1/tasks", json=body, headers=headers) as answer:
            return answer.status, answer.headers.get("Preference-Applied"), time.monotonic() - began_at

    waiting = [asyncio.create_task(wait()) for _ in range(WAITING)]
    count = 0
    while not all(one.done() for one in waiting):
        await submitted(client)
        count += 1
        await asyncio.sleep(0.1)
    for status, applied, waited_s in [await one for one in waiting]:
        assert (status, applied) == (202, f"wait={LONGEST_WAIT_S}")
        assert waited_s >= LONGEST_WAIT_S
    assert count > 10
    print(f"{WAITING} waited for {LONGEST_WAIT_S} s; {count} others were taken meanwhile")


class Load:
    """Callers that submit and look, and streams that are taken up where they broke off."""

    def __init__(self, session):
        self._session = session
        self.is_over = False
        self.tasks = []
        self.requests = 0
        self.failures = []
        self.streams = 0
        self.resumed = 0

    async def call(self, method, path, statuses, **options):
        self.requests += 1
        try:
            async with self._session.request(method, path, **options) as answer:
                text = await answer.text()
                if answer.status in statuses:
                    return json.loads(text) if text else None
                self.failures.append(f"{method} {answer.status} {text[:200]}")
        except aiohttp.ClientError as error:
            self.failures.append(f"{method} {error!r}")
        return None

    async def submit(self):
        while not self.is_over or self.requests < LEAST_REQUESTS:
            body = {"model": "sandbox/noop", "input": {"delay_s": 0.05}}
            task = await self.call("POST", "/v1/tasks", {202}, json=body)
            if task is not None:
                self.tasks.append(task["id"])
                await self.call("GET", f"/v1/tasks/{task['id']}", {200})
            await asyncio.sleep(0.05)

    async def watch(self):
        while not self.is_over:
            task = await self.call(
                "POST", "/v1/tasks", {202}, json={"model": "sandbox/noop", "input": {"delay_s": 4}}
            )
            if task is not None:
                await self._follow(task["id"])

    async def _follow(self, task_id):
        """To its end, however often the stream breaks off; ids have to grow over all of it."""
        last, ended, self.streams = -1, False, self.streams + 1
        while not ended:
            headers = {"Last-Event-ID": str(last)} if last >= 0 else {}
            self.requests += 1
            self.resumed += last >= 0
            try:
                async with self._session.get(f"/v1/tasks/{task_id}/events", headers=headers) as stream:
                    if stream.status == 204:
                        return
                    if stream.status != 200:
                        self.failures.append(f"stream {stream.status} {(await stream.text())[:200]}")
                        await asyncio.sleep(0.2)
                        continue
                    async for line in stream.content:
                        if line.startswith(b"id:"):
                            assert int(line[3:]) > last, "an event was told twice"
                            last = int(line[3:])
                        ended = ended or line.startswith(b"event: done")
            except aiohttp.ClientPayloadError:
                continue  # it broke off in the middle of an answer
            except aiohttp.ClientError as error:
                self.failures.append(f"stream {error!r}")


async def restarted(fleet, process, *arguments):
    """As a supervisor does it: told to stop, waited for, started again."""
    process.terminate()
    await asyncio.to_thread(process.wait, 300)
    fleet.start(*arguments)


async def test_two_apis_and_three_workers_restart_under_load_and_nothing_fails(fleet, proxy, client):
    for _ in range(WORKERS - 1):
        fleet.start_worker()
    load = Load(client)
    running = [asyncio.create_task(load.submit()) for _ in range(CALLERS)]
    running += [asyncio.create_task(load.watch()) for _ in range(STREAMS)]
    async with aiohttp.ClientSession() as direct:
        for process, url in zip(fleet._processes[:2], list(fleet.urls), strict=True):
            await restarted(fleet, process, "api", "--port", url.rpartition(":")[2])
            await until_ready(fleet, direct)
            await asyncio.sleep(2)
        for worker in fleet.workers:
            await restarted(fleet, worker, "worker")
            await asyncio.sleep(1)
    load.is_over = True
    await asyncio.gather(*running)
    assert load.failures == []
    assert load.requests >= LEAST_REQUESTS
    assert load.streams >= STREAMS
    assert load.resumed > 0, "no stream was ever broken off"
    async with asyncio.timeout(300):
        for task_id in load.tasks:
            while (await load.call("GET", f"/v1/tasks/{task_id}", {200}))["status"] != "succeeded":
                await asyncio.sleep(0.2)
    figures = f"{load.requests} requests, 0 failures, {load.streams} streams, {load.resumed} times taken up"
    print(f"\n{proxy.name}: {figures}, {len(load.tasks)} tasks, all succeeded")


UNDER_A_PATH = {
    "nginx": {"location / {": "location /media/ {", "proxy_pass http://genpulse;": "proxy_pass http://genpulse/;"},
    "haproxy": {
        "default_backend apis": "http-request replace-path /media(/.*)? \\1\n\tdefault_backend apis",
    },
    "caddy": {"reverse_proxy {$UPSTREAMS": "uri strip_prefix /media\n\treverse_proxy {$UPSTREAMS"},
    "traefik": {
        "middlewares: [next-one]": "middlewares: [next-one, below]",
        "    next-one:": "    below: {stripPrefix: {prefixes: [/media]}}\n    next-one:",
    },
}
"""What docs/how-to/run-behind-a-proxy.md says to change where the API is to lie under a path."""


@pytest.mark.parametrize("name", proxies.NAMES)
async def test_under_a_path(tmp_path, own_database_url, redis_url, name):
    port, fleet = free_port(), Fleet(tmp_path, own_database_url, redis_url)
    base = f"{proxies.origin(name, port)}/media"
    fleet.environment["GENPULSE_API__PUBLIC_URL"] = base
    for _ in range(2):
        fleet.start_api()
    fleet.start_worker()
    proxy = proxies.start(name, fleet.urls, tmp_path / name, UNDER_A_PATH[name], port=port)
    try:
        async with aiohttp.ClientSession() as direct:
            await until_ready(fleet, direct)
        async with client_of(proxy) as client:
            await until_up(proxy, client, "/media/readyz")
            await _run_under(base, proxy, client)
    finally:
        fleet.stop()
        proxy.stop()


async def _run_under(base, proxy, client):
    task = await submitted(client, path="/media/v1/tasks", input={"output_bytes": 10})
    assert task["urls"]["self"] == f"{base}/v1/tasks/{task['id']}"
    async with client.get(task["urls"]["events"].removeprefix(proxy.url)) as stream:
        done = [line async for line in stream.content if line.startswith(b"data:")][-1]
    output = json.loads(done[5:])["outputs"][0]["url"]
    assert output.startswith(f"{base}/v1/assets/")
    async with client.get(output.removeprefix(proxy.url)) as answer:
        assert (answer.status, len(await answer.read())) == (200, 10)


async def test_only_peers_that_are_named_say_how_a_caller_came(tmp_path, own_database_url, redis_url):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    fleet.environment["GENPULSE_API__TRUSTED_PROXIES"] = "192.0.2.1"
    fleet.start_api()
    try:
        async with aiohttp.ClientSession() as direct:
            await until_ready(fleet, direct)
            (url,) = fleet.urls
            said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil", "Forwarded": "proto=https;host=evil"}
            task = await submitted(direct, path=f"{url}/v1/tasks", headers=said)
            assert task["urls"]["self"] == f"{url}/v1/tasks/{task['id']}"
    finally:
        fleet.stop()


@pytest.mark.parametrize(
    ("name", "file"),
    [("nginx", "nginx/genpulse.conf"), ("HAProxy", "haproxy/haproxy.cfg"), ("Traefik", "traefik/genpulse.yaml")],
)
def test_the_how_to_quotes_what_the_file_says(name, file):
    page = (ROOT / "docs/how-to/run-behind-a-proxy.md").read_text()
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert f"deploy/{file}" in section
    text = re.sub(r"\s+", " ", (ROOT / "deploy" / file).read_text())
    quoted = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
    assert quoted, "the page has no table of its lines"
    assert [line for line in quoted if line not in text] == []

"""No body is read beyond its limit."""

import asyncio
import json

import pytest

from genpulse.api.options import ApiOptions

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def small(serve):
    return await serve(ApiOptions(body_limit_bytes=1000, upload_limit_bytes=2000))


def body_of(size):
    body = {"model": "art/easel", "input": {"prompt": ""}}
    body["input"]["prompt"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body).encode()


async def test_a_body_at_the_limit_is_taken(small):
    assert (await small.post("/v1/tasks", data=body_of(1000), headers=JSON)).status == 202


async def test_a_body_that_announces_too_much_is_refused(small):
    refused = await small.post("/v1/tasks", data=body_of(1001), headers=JSON)
    assert "1,000 bytes" in refused.problem(413, "content_too_large")["detail"]


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/tasks/batch"])
async def test_a_body_that_announces_nothing_is_refused_on_the_way(small, path):
    async def pieces():
        for _ in range(50):
            yield b"x" * 100
            await asyncio.sleep(0)

    refused = await small.post(path, data=pieces(), headers=JSON)
    refused.problem(413, "content_too_large")


async def test_nothing_is_read_of_a_body_that_announces_too_much(small):
    host, port = small.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 999999999\r\n\r\n".encode())
    async with asyncio.timeout(60):
        assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_other_calls_do_not_need_has_a_limit_too(small):
    task = (await small.submit()).json
    refused = await small.post(f"/v1/tasks/{task['id']}/cancel", data=b"x" * 1001)
    refused.problem(413, "content_too_large")


async def test_an_upload_has_a_limit_of_its_own(small):
    assert (await small.upload(b"x" * 2000)).status == 201
    (await small.upload(b"x" * 2001)).problem(413, "content_too_large")
    (await small.upload(b"x" * 200_000)).problem(413, "content_too_large")

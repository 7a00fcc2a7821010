"""Clients that hold a connection and send next to nothing."""

import asyncio

import pytest

from genpulse.api.options import ApiOptions


@pytest.fixture
async def impatient(serve):
    return await serve(ApiOptions(body_idle_s=1.0))


async def connected(api, path: str, content_type: str):
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    headers = f"Host: localhost\r\nContent-Type: {content_type}\r\nContent-Length: 100000\r\n"
    writer.write(f"POST {path} HTTP/1.1\r\n{headers}\r\n".encode())
    return reader, writer


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/v1/tasks", "application/json"), ("/v1/uploads", "multipart/form-data; boundary=x")],
)
async def test_a_body_that_never_comes_is_not_waited_for(impatient, path, content_type):
    reader, writer = await connected(impatient, path, content_type)
    writer.write(b"--x\r\n")
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 60)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in answer
    writer.close()


async def test_a_body_that_drips_is_not_waited_for_either(impatient):
    reader, writer = await connected(impatient, "/v1/uploads", "multipart/form-data; boundary=x")
    writer.write(b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n')
    reading = asyncio.create_task(reader.readline())
    async with asyncio.timeout(60):
        while not reading.done():
            writer.write(b".")
            await asyncio.sleep(0.05)
    assert (await reading).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_body_that_takes_its_time_is_taken(impatient):
    """Sent once more where this machine has paused for so long that nothing came."""
    body = b'{"model": "art/easel", "input": {"prompt": "' + b"x" * 8000 + b'"}}'

    async def pieces():
        for start in range(0, len(body), 1000):
            await asyncio.sleep(0.2)
            yield body[start : start + 1000]

    statuses: list[int] = []
    while not statuses or (statuses[-1] == 408 and len(statuses) < 10):
        answer = await impatient.post("/v1/tasks", data=pieces(), headers={"Content-Type": "application/json"})
        statuses.append(answer.status)
    assert statuses[-1] == 202

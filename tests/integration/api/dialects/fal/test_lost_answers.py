"""Calls that fal's clients make again by themselves, since the answer to the one before did not reach them."""

import asyncio
import json
import socket
import struct
from urllib.parse import urlsplit

import pytest

from tests.integration.api.dialects.fal.conftest import APP

RESET = struct.pack("ii", 1, 0)


async def tasks(fal):
    return (await fal.api.get("/v1/tasks")).json["data"]


def request(path, **arguments):
    body = json.dumps(arguments).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def lost(fal, path, how, **arguments):
    """Make a call whose answer nobody reads."""
    parts = urlsplit(fal.api.url)
    client = await asyncio.to_thread(socket.create_connection, (parts.hostname, parts.port))
    ours = client.getsockname()
    client.sendall(request(path, **arguments))
    async with asyncio.timeout(60):
        if how == "before it comes":
            while not await tasks(fal):
                await asyncio.sleep(0.005)
        else:
            await asyncio.to_thread(client.recv, 1, socket.MSG_PEEK)
    if how == "by a reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    async with asyncio.timeout(60):
        while any(each.client == ours for each in fal.api.server.server_state.connections):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("how", ["unread", "by a reset"])
async def test_a_submit_whose_answer_nobody_read_is_made_once(fal, how):
    await lost(fal, f"/fal/queue/{APP}", how, prompt="a fox")
    again = await fal.submit(prompt="a fox")
    (task,) = await tasks(fal)
    assert again.json["request_id"] == task["id"]
    assert (await fal.submit(prompt="a fox")).json["request_id"] != task["id"]


@pytest.mark.parametrize("how", ["before it comes", "unread", "by a reset"])
async def test_so_is_a_run(fal, how):
    if how == "before it comes":
        await lost(fal, f"/fal/run/{APP}", how, prompt="a fox")
        async with fal.api.worker():
            again = await fal.call("POST", f"/run/{APP}", json={"prompt": "a fox"})
    else:
        async with fal.api.worker():
            await lost(fal, f"/fal/run/{APP}", how, prompt="a fox")
            again = await fal.call("POST", f"/run/{APP}", json={"prompt": "a fox"})
    (task,) = await tasks(fal)
    assert (again.status, again.headers["X-Fal-Request-Id"]) == (200, task["id"])


async def test_what_differs_is_another_call(fal):
    await lost(fal, f"/fal/queue/{APP}", "unread", prompt="a fox")
    answers = [
        await fal.submit(prompt="a wolf"),
        await fal.submit(prompt="a fox", query="?fal_webhook=https://example.org/h"),
        await fal.submit(prompt="a fox", headers={"X-Fal-Queue-Priority": "low"}),
        await fal.submit(prompt="a fox", headers={"Idempotency-Key": "mine"}),
    ]
    (first,) = {each["id"] for each in await tasks(fal)} - {answer.json["request_id"] for answer in answers}
    assert (await fal.submit(prompt="a fox")).json["request_id"] == first


async def test_two_calls_that_are_meant_are_two(fal):
    first, second = [(await fal.submit()).json["request_id"] for _ in range(2)]
    assert first != second


async def test_a_key_says_that_it_is_one(fal):
    headers = {"Idempotency-Key": "mine"}
    first, second = [(await fal.submit(headers=headers)).json["request_id"] for _ in range(2)]
    assert first == second

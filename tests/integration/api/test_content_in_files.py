"""Bytes of assets that lie in a folder of this machine."""

import asyncio
import io
import os

import aiohttp
import pytest

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.api.server.uvicorn_protocol import GatheringProtocol

WHOLE = os.urandom(900_000)


class CountedReads(ObjectStorage):
    """Counts how often bytes are read by this process."""

    reads = 0

    async def read(self, key, start, end, *, sha256=""):
        self.reads += 1
        async for chunk in super().read(key, start, end, sha256=sha256):
            yield chunk


@pytest.fixture
async def storage(tmp_path):
    storage = CountedReads(f"file://{tmp_path}/store", spool_dir=tmp_path / "spool")
    yield storage
    await storage.close()


@pytest.fixture
async def api(serve, storage):
    return await serve(storage=storage, http=GatheringProtocol)


@pytest.fixture
async def asset(api):
    return (await api.upload(WHOLE)).json


def path(asset):
    return f"/v1/assets/{asset['id']}/content"


async def test_what_was_written_here_is_sent_by_the_system(api, asset, storage):
    whole = await api.get(path(asset))
    assert (whole.status, whole.body == WHOLE, whole.headers["Content-Length"]) == (200, True, "900000")
    assert whole.headers["ETag"] == f'"{asset["sha256"]}"'
    assert storage.reads == 0


async def test_so_are_its_parts(api, asset, storage):
    for wanted, found in [("bytes=1-199999", WHOLE[1:200_000]), ("bytes=-70000", WHOLE[-70_000:])]:
        part = await api.get(path(asset), headers={"Range": wanted})
        assert (part.status, part.body == found) == (206, True)
    assert storage.reads == 0


async def test_what_another_process_wrote_is_read_and_compared_once(serve, asset, api, tmp_path):
    other = CountedReads(f"file://{tmp_path}/store", spool_dir=tmp_path / "spool")
    beside = await serve(storage=other, store=api.store, http=GatheringProtocol)
    for _ in range(3):
        assert (await beside.get(path(asset))).body == WHOLE
    assert other.reads == 1
    await other.close()


async def test_few_bytes_are_read(api, storage):
    asset = (await api.upload(b"fox")).json
    assert (await api.get(path(asset))).body == b"fox"
    assert storage.reads == 1


async def test_head_reads_nothing(api, asset, storage):
    head = await api.call("HEAD", path(asset))
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "900000")
    assert storage.reads == 0


@pytest.mark.parametrize("change", ["cut off", "gone", "other bytes"])
async def test_what_was_changed_behind_our_back_is_told_and_not_sent(api, asset, tmp_path, change):
    (file,) = (each for each in (tmp_path / "store" / "assets").glob("**/*") if each.is_file())
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(WHOLE[:100_000] if change == "cut off" else WHOLE[::-1])
    (await api.get(path(asset))).problem(410, "asset_gone")


async def test_what_is_written_into_while_it_is_sent_is_broken_off(api, storage, tmp_path):
    whole = os.urandom(1 << 20) * 12
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(whole), filename="file")
    asset = (await api.post("/v1/uploads", data=form)).json
    (file,) = (each for each in (tmp_path / "store" / "assets").glob("**/*") if each.is_file())
    async with api.client.get(f"{api.url}{path(asset)}") as answer:
        assert answer.status == 200
        await answer.content.readexactly(1000)
        with file.open("r+b") as writing:
            writing.write(b"X")
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()


async def test_a_question_with_a_body_gets_all_of_the_answer(api, asset):
    """What is left unread of it when the connection is closed would take the answer back."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    head = f"GET {path(asset)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 500000\r\n\r\n"
    writer.write(head.encode() + bytes(500_000))
    async with asyncio.timeout(60):
        assert (await reader.read()).endswith(b"\r\n\r\n" + WHOLE)
    writer.close()
    await writer.wait_closed()

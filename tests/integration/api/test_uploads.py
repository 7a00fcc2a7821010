"""Files that callers bring."""

import asyncio
import hashlib

import aiohttp
import pytest

from genpulse.domain.errors import StorageFull, StorageUnavailable

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c489"
    "0000000a49444154789c6300010000050001 0d0a2db40000000049454e44ae426082".replace(" ", "")
)
BOUNDARY = "frontier"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(name, content, extra=""):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def kept_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_an_upload_becomes_an_asset(api):
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="fox.exe", content_type="application/x-msdownload")
    kept = await api.post("/v1/uploads", data=form)
    asset = kept.json
    assert kept.status == 201
    assert kept.headers["Location"] == f"{api.url}/v1/assets/{asset['id']}"
    assert (asset["media_type"], asset["bytes"]) == ("image/png", len(PNG))
    assert asset["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (asset["task_id"], asset["environment"]) == (None, "dev")
    assert (await api.get(f"/v1/assets/{asset['id']}")).json == asset
    assert (await api.get(f"/v1/assets/{asset['id']}/content")).body == PNG


@pytest.mark.parametrize("piece", [1, 7, 100_000])
async def test_an_upload_arrives_whole_however_it_is_cut(api, piece):
    content = bytes(range(256)) * 4 + b"\r\n--frontie\r\n--" + b"\r\n" * 9
    body = part("file", content) + END

    async def pieces():
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    kept = await api.post("/v1/uploads", data=pieces(), headers=FORM)
    assert kept.json["sha256"] == hashlib.sha256(content).hexdigest()


async def test_a_large_upload_is_streamed(api):
    async def pieces():
        yield part("file", b"")[:-2]
        for _ in range(64):
            yield b"x" * (1 << 18)
        yield b"\r\n" + END

    kept = await api.post("/v1/uploads", data=pieces(), headers=FORM)
    assert kept.json["bytes"] == 64 << 18


async def test_a_form_takes_one_file_and_nothing_else(api, tmp_path):
    for body in [
        END,
        part("document", b"x") + END,
        part("file", b"x") + part("file", b"y") + END,
        part("file", b"x") + part("note", b"y") + END,
        f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + END,
    ]:
        problem = (await api.post("/v1/uploads", data=body, headers=FORM)).problem(422, "invalid_input")
        assert problem["errors"]
        assert kept_files(tmp_path) == []


async def test_a_form_that_ends_too_early_is_refused(api, tmp_path):
    for body in [b"", part("file", b"x"), b"--fron"]:
        (await api.post("/v1/uploads", data=body, headers=FORM)).problem(400, "upload_incomplete")
        assert kept_files(tmp_path) == []


async def test_a_form_that_is_none_is_refused(api):
    for body in [b"nonsense", b"--" + b"x" * 100, f"--{BOUNDARY}\r\n\0bad: x\r\n\r\n".encode()]:
        (await api.post("/v1/uploads", data=body, headers=FORM)).problem(400, "invalid_multipart")


async def test_another_content_type_is_refused(api):
    refused = await api.post("/v1/uploads", data=PNG, headers={"Content-Type": "image/png"})
    assert "multipart/form-data" in refused.problem(415, "unsupported_media_type")["detail"]


async def test_a_form_without_a_sensible_boundary_is_refused(api):
    for boundary in ["", "; boundary=", "; boundary=" + "x" * 500]:
        headers = {"Content-Type": f"multipart/form-data{boundary}"}
        (await api.post("/v1/uploads", data=b"x", headers=headers)).problem(400, "invalid_multipart")


async def test_of_an_upload_whose_client_leaves_nothing_is_kept(api, tmp_path):
    host, port = api.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM['Content-Type']}\r\n"
    writer.write(f"{head}Content-Length: 1000000\r\n\r\n".encode() + part("file", b"x" * 100_000))
    await writer.drain()
    async with asyncio.timeout(60):
        while not kept_files(tmp_path):
            await asyncio.sleep(0.005)
        writer.close()
        await writer.wait_closed()
        while kept_files(tmp_path):
            await asyncio.sleep(0.005)
    text = (await api.get("/metrics")).body.decode()
    assert 'route="/v1/uploads",status="201"' not in text


async def test_a_storage_that_takes_nothing_is_told(api):
    for error, code in [
        (StorageFull("There is no space left for assets."), "storage_full"),
        (StorageUnavailable("The asset storage does not answer."), "storage_unavailable"),
    ]:
        api.storage.error = error
        refused = await api.upload(b"x")
        refused.problem(503, code)
        assert int(refused.headers["Retry-After"]) > 0

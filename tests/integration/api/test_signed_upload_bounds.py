"""What a signed address for an upload takes, and what makes none."""

import asyncio
import gzip

import pytest

from genpulse.api.options import ApiOptions
from tests.api_keys import added
from tests.integration.api.test_signed_uploads import PNG, brought, kept_files, minted


@pytest.fixture
async def mine(api):
    """The headers of a key."""
    return (await added(api.services.keys))[1]


async def unannounced(content):
    yield content


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_over_its_limit_is_refused_and_may_come_smaller(api, mine, tmp_path, announced):
    upload = await minted(api, mine, max_bytes=len(PNG))
    large = PNG + b"x"
    refused = await brought(api, upload, large if announced else unannounced(large))
    assert f"{len(PNG)} bytes" in refused.problem(413, "content_too_large")["detail"]
    assert kept_files(tmp_path) == []
    assert (await brought(api, upload)).status == 201


async def test_a_file_that_is_announced_too_large_is_not_waited_for(api, mine):
    upload = await minted(api, mine, max_bytes=100)
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = upload["url"].removeprefix(api.url)
    writer.write(f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n".encode())
    async with asyncio.timeout(20):
        assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_no_address_goes_over_the_limit_of_uploads(serve):
    wide = await serve(ApiOptions(upload_limit_bytes=5000, api_key_prefixes={"gp_dev_": "dev"}))
    _, mine = await added(wide.services.keys)
    asked = await wide.post("/v1/upload_urls", json={"max_bytes": 5001}, headers=mine)
    problem = asked.problem(422, "invalid_input")
    assert (problem["errors"][0]["pointer"], "5000" in problem["errors"][0]["detail"]) == ("/max_bytes", True)
    upload = await minted(wide, mine, max_bytes=5000)
    narrow = await serve(ApiOptions(upload_limit_bytes=50), keys=wide.services.keys, store=wide.store)
    path = upload["url"].removeprefix(wide.url)
    for body in (PNG, unannounced(PNG)):
        (await narrow.call("PUT", path, encoded=True, data=body)).problem(413, "content_too_large")


@pytest.mark.parametrize(
    ("content", "said", "taken"),
    [
        (PNG, "image/*", True),
        (PNG, "image/png", True),
        (PNG, "*/*", True),
        (PNG, "image/jpeg", False),
        (PNG, "video/*", False),
        (b"words", "image/*", False),
        (b"words", "text/plain", True),
        (b"\x00\x01\x02", "image/*", False),
        (b"\x00\x01\x02", "*/*", True),
        (b"<html><script>", "image/*", False),
        (PNG[:7], "image/png", False),
    ],
)
async def test_what_a_file_is_is_found_from_its_bytes(api, mine, tmp_path, content, said, taken):
    upload = await minted(api, mine, media_type=said)
    answer = await brought(api, upload, content, **{"Content-Type": "image/png"})
    if taken:
        assert answer.status == 201
    else:
        assert said in answer.problem(415, "unsupported_media_type")["detail"]
        assert kept_files(tmp_path) == []
        (await api.get(f"/v1/assets/{upload['asset_id']}", headers=mine)).problem(404, "unknown_asset")


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", {}, 400, "upload_incomplete"),
        (None, {}, 400, "upload_incomplete"),
        (PNG, {"Content-Type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
        (PNG, {"Content-Type": "MULTIPART/mixed"}, 415, "unsupported_media_type"),
        (gzip.compress(PNG, mtime=0), {"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        (PNG[:10], {"Content-Range": "bytes 0-9/68"}, 400, "upload_incomplete"),
    ],
)
async def test_a_body_that_is_no_file_is_refused_and_the_address_stays_good(
    api, mine, content, headers, status, code
):
    upload = await minted(api, mine)
    (await brought(api, upload, content, **headers)).problem(status, code)
    assert (await brought(api, upload)).status == 201


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"max_bytes": 0}, "/max_bytes"),
        ({"max_bytes": -1}, "/max_bytes"),
        ({"max_bytes": 1.5}, "/max_bytes"),
        ({"max_bytes": "5"}, "/max_bytes"),
        ({"max_bytes": True}, "/max_bytes"),
        ({"max_bytes": 2**63}, "/max_bytes"),
        ({"max_bytes": 1e300}, "/max_bytes"),
        ({"expires_in_s": 0}, "/expires_in_s"),
        ({"expires_in_s": 3601}, "/expires_in_s"),
        ({"expires_in_s": None}, "/expires_in_s"),
        ({"media_type": ""}, "/media_type"),
        ({"media_type": "image"}, "/media_type"),
        ({"media_type": "*/png"}, "/media_type"),
        ({"media_type": "image/*\n"}, "/media_type"),
        ({"media_type": "image/*, video/*"}, "/media_type"),
        ({"media_type": "IMAGE/PNG"}, "/media_type"),
        ({"media_type": "image/" + "x" * 200}, "/media_type"),
        ({"media_type": "imagé/*"}, "/media_type"),
        ({"media_type": ["image/*"]}, "/media_type"),
        ({"owner": "me"}, "/owner"),
        ({"expires": 5}, "/expires"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(api, mine, asked, pointer):
    problem = (await api.post("/v1/upload_urls", json=asked, headers=mine)).problem(422, "invalid_input")
    assert [one["pointer"] for one in problem["errors"]] == [pointer]


async def test_bytes_that_are_packed_on_the_way_are_not_kept_as_the_file(api, mine):
    """Nobody here unpacks them, and what came would be another file than the page has."""
    upload = await minted(api, mine)
    host, port = api.url.removeprefix("http://").split(":")
    path, coding = upload["url"].removeprefix(api.url), "gzip, chunked"
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {coding}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + b"3\r\nabc\r\n0\r\n\r\n")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert coding.encode() in answer
    writer.close()
    assert (await brought(api, upload)).status == 201

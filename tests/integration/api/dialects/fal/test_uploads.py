"""Files of fal's clients."""

import asyncio
import base64

import pytest
from yarl import URL

from tests.api_keys import added
from tests.integration.api.dialects.fal.conftest import APP

FILE = b"the bytes of a file, which are a text"


async def initiated(fal, kind="initiate"):
    body = {"content_type": "text/plain", "file_name": "a.txt"}
    return (await fal.call("POST", f"/rest/storage/upload/{kind}?storage_type=fal-cdn-v3", json=body)).json


async def brought(fal, method, url, data, **words):
    async with fal.api.client.request(method, URL(url, encoded=True), data=data, **words) as answer:
        return answer.status, await answer.json(), answer.headers


async def fetched(fal, url):
    async with fal.api.client.get(URL(url, encoded=True)) as answer:
        return answer.status, await answer.read()


async def test_a_file_is_brought_by_the_address_that_was_given(fal):
    _, key = await added(fal.api.services.keys)
    addresses = await initiated(fal.as_caller(key))
    headers = {"Content-Type": "image/png"}
    status, _, _ = await brought(fal, "PUT", addresses["upload_url"], FILE, headers=headers)
    assert status == 201
    assert await fetched(fal, addresses["file_url"]) == (200, FILE)
    status, _, _ = await brought(fal, "PUT", addresses["upload_url"], FILE, headers=headers)
    assert status == 200


async def test_what_was_brought_is_an_input(fal):
    addresses = await initiated(fal)
    await brought(fal, "PUT", addresses["upload_url"], FILE)
    request_id = (await fal.submit(prompt=addresses["file_url"])).json["request_id"]
    task = (await fal.api.get(f"/v1/tasks/{request_id}")).json
    asset_id = URL(addresses["file_url"]).parts[-2]
    assert task["input"] == {"prompt": f"asset:{asset_id}"}


def part_url(addresses, number):
    url = URL(addresses["upload_url"], encoded=True)
    return str(url.with_path(f"{url.path}/{number}", encoded=True).with_query(url.query))


async def test_a_file_in_parts_is_put_together_in_their_order(fal):
    addresses = await initiated(fal, "initiate-multipart")
    parts = []
    for number, content in ((2, b" and"), (1, b"one"), (10, b" ten")):
        for _ in range(2):  # a client tries again
            status, part, headers = await brought(fal, "PUT", part_url(addresses, number), content)
            assert (status, part["partNumber"], part["etag"]) == (200, number, headers["ETag"])
        parts.append(part)
    for _ in range(2):
        status, _, _ = await completed(fal, addresses, parts)
        assert status == 200
    assert await fetched(fal, addresses["file_url"]) == (200, b"one and ten")


async def completed(fal, addresses, parts):
    async with fal.api.client.post(
        URL(part_url(addresses, "complete"), encoded=True), json={"parts": parts}
    ) as answer:
        return answer.status, await answer.json(), answer.headers


@pytest.mark.parametrize(
    "parts",
    [None, [], [{}], [{"partNumber": 0}], [{"partNumber": "x"}], [{"partNumber": 1}, {"partNumber": 1}], [5]],
)
async def test_parts_that_are_none(fal, parts):
    addresses = await initiated(fal, "initiate-multipart")
    status, body, _ = await completed(fal, addresses, parts)
    assert (status, body["error_type"]) == (422, "invalid_input")


async def test_a_part_that_never_came(fal):
    addresses = await initiated(fal, "initiate-multipart")
    status, body, _ = await completed(fal, addresses, [{"partNumber": 1}])
    assert (status, body["error_type"]) == (404, "unknown_asset")
    status, body, _ = await brought(fal, "PUT", part_url(addresses, 0), b"x")
    assert (status, body["error_type"]) == (422, "invalid_input")


async def test_addresses_that_are_not_ours(fal):
    addresses = await initiated(fal, "initiate-multipart")
    wrong = URL(part_url(addresses, 1)).with_query(signature="x" * 60)
    status, body, _ = await brought(fal, "PUT", str(wrong), b"x")
    assert (status, body["error_type"]) == (403, "invalid_signature")
    status, body, _ = await brought(fal, "PUT", f"{fal.api.url}/fal/parts/nothing/1", b"x")
    assert (status, body["error_type"]) == (403, "invalid_signature")


async def test_the_python_client_brings_a_whole_file_with_the_token_that_it_asks_for(fal):
    _, key = await added(fal.api.services.keys)
    answer = await fal.as_caller(key).call("POST", "/rest/storage/auth/token?storage_type=fal-cdn-v3", json={})
    token = answer.json
    headers = {"Authorization": f"{token['token_type']} {token['token']}", "Content-Type": "text/plain"}
    status, body, _ = await brought(fal, "POST", f"{token['base_url']}/files/upload", FILE, headers=headers)
    assert status == 200
    assert await fetched(fal, body["access_url"]) == (200, FILE)


def uri(content: bytes) -> str:
    return f"data:text/plain;base64,{base64.b64encode(content).decode()}"


async def test_a_large_data_uri_becomes_an_asset_once(fal):
    large, small = uri(b"large" * 10_000), uri(b"small")
    headers = {"Idempotency-Key": "k"}
    answers = [await fal.submit(headers=headers, prompt=large) for _ in range(2)]
    first, second = (answer.json["request_id"] for answer in answers)
    assert first == second
    task = (await fal.api.get(f"/v1/tasks/{first}")).json
    asset = task["input"]["prompt"].removeprefix("asset:")
    async with fal.api.client.get(f"{fal.api.url}/v1/assets/{asset}/content") as content:
        assert await content.read() == b"large" * 10_000
    request_id = (await fal.submit(prompt=small)).json["request_id"]
    assert (await fal.api.get(f"/v1/tasks/{request_id}")).json["input"] == {"prompt": small}
    another = await fal.submit(headers=headers, prompt=uri(b"other" * 10_000))
    assert (another.status, another.json["error_type"]) == (422, "idempotency_key_reuse")


async def test_what_only_looks_like_a_data_uri_stays(fal):
    for odd in ("data:" + "x" * 20_000, "data:text/plain;base64," + "!" * 20_000):
        request_id = (await fal.submit(prompt=odd)).json["request_id"]
        assert (await fal.api.get(f"/v1/tasks/{request_id}")).json["input"] == {"prompt": odd}


async def test_many_at_once_are_one_asset(fal):
    text = uri(b"large" * 10_000)
    headers = {"Idempotency-Key": "together"}
    answers = await asyncio.gather(*(fal.submit(APP, headers=headers, prompt=text) for _ in range(5)))
    assert len({answer.json["request_id"] for answer in answers}) == 1

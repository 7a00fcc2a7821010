"""A file that somebody brings without an API key, by an address that a key has made."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from genpulse.api.errors import UploadInProgress
from genpulse.api.options import ApiOptions
from genpulse.domain.errors import UnknownAsset
from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.provider_account.rate import Rate
from tests.api_keys import added
from tests.integration.api.conftest import rows_on

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000a49444154789c63000100000500010d0a2db40000000049454e44ae426082"
)
PAGE = {"Origin": "https://app.example.com"}


@pytest.fixture
async def mine(api):
    """The headers of a key."""
    return (await added(api.services.keys))[1]


async def minted(api, headers=None, **asked):
    answer = await api.post("/v1/upload_urls", json=asked, headers=headers)
    assert answer.status == 201, answer.body
    return answer.json


async def brought(api, upload, content=PNG, method="PUT", **headers):
    path = upload["url"].removeprefix(api.url)
    return await api.call(method, path, encoded=True, data=content, headers=headers)


def kept_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_becomes_an_asset_of_the_key_that_made_the_address(either):
    key, mine = await added(either.services.keys)
    _, other = await added(either.services.keys)
    upload = await minted(either, mine, media_type="image/*", max_bytes=1000)
    asset_path = f"/v1/assets/{upload['asset_id']}"
    (await either.get(asset_path, headers=mine)).problem(404, "unknown_asset")
    kept = await brought(either, upload, **{"Content-Type": "application/x-msdownload"})
    asset = kept.json
    assert (kept.status, kept.headers["Location"]) == (201, either.url + asset_path)
    assert (asset["id"], asset["media_type"], asset["bytes"]) == (upload["asset_id"], "image/png", len(PNG))
    assert asset["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (await either.services.store.asset(UUID(asset["id"]))).owner == str(key.id)
    assert (await either.get(asset["url"].removeprefix(either.url), encoded=True)).body == PNG
    shown = (await either.get(asset_path, headers=mine)).json
    assert shown["sha256"] == asset["sha256"]
    (await either.get(asset_path, headers=other)).problem(404, "unknown_asset")


async def test_an_address_says_what_it_is_good_for(api, mine):
    said = await minted(api, mine)
    upload = await minted(api, mine, max_bytes=5.0, media_type="image/png", expires_in_s=60)
    assert (said["method"], said["media_type"], said["max_bytes"]) == ("PUT", "*/*", 2 << 30)
    assert (upload["max_bytes"], upload["media_type"]) == (5, "image/png")
    lasts = datetime.fromisoformat(upload["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < lasts <= timedelta(seconds=60)
    bare = await api.post("/v1/upload_urls", headers=mine)
    assert (bare.status, bare.headers["Cache-Control"]) == (201, "no-store")


async def test_the_same_bytes_again_give_the_same_asset_and_others_are_refused(either):
    _, mine = await added(either.services.keys)
    upload = await minted(either, mine)
    first = await brought(either, upload)
    again = await brought(either, upload)
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == first.json["id"]
    for other in (b"x", PNG[:-1], PNG[:-1] + b"x", PNG + b"x", PNG * 1000):
        refused = (await brought(either, upload, other)).problem(409, "upload_address_used")
        assert upload["asset_id"] in refused["detail"]
    kept = await either.services.store.asset(UUID(upload["asset_id"]))
    assert kept.content.sha256 == hashlib.sha256(PNG).hexdigest()


async def test_an_asset_that_was_deleted_is_not_brought_again(either):
    _, mine = await added(either.services.keys)
    upload = await minted(either, mine)
    await brought(either, upload)
    assert (await either.call("DELETE", f"/v1/assets/{upload['asset_id']}", headers=mine)).status == 204
    (await brought(either, upload)).problem(409, "upload_address_used")


async def test_of_files_that_come_to_two_processes_at_once_one_is_kept(serve, migrated_url, pools):
    async with rows_on(migrated_url, pools) as rows:
        processes = [await serve(**rows), await serve(**rows)]
        _, mine = await added(processes[0].services.keys)
        upload = await minted(processes[0], mine)
        path = upload["url"].removeprefix(processes[0].url)
        put = [one.call("PUT", path, encoded=True, data=str(one.url).encode()) for one in processes]
        answers = await asyncio.gather(*put)
        assert sorted(answer.status for answer in answers) == [201, 409]
        (kept,) = (answer.json for answer in answers if answer.status == 201)
        shown = await processes[0].get(f"/v1/assets/{upload['asset_id']}", headers=mine)
        assert shown.json["sha256"] == kept["sha256"]


async def test_one_file_comes_at_a_time(api, mine):
    upload, other = await minted(api, mine), await minted(api, mine)
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly():
        yield PNG[:10]
        begun.set()
        await goes_on.wait()
        yield PNG[10:]

    first = asyncio.create_task(brought(api, upload, slowly()))
    await begun.wait()
    while not api.app.state.context.uploads._asset_ids:
        await asyncio.sleep(0.005)
    refused = await brought(api, upload)
    refused.problem(429, "upload_in_progress")
    assert int(refused.headers["Retry-After"]) == UploadInProgress.retry_after_s
    assert (await brought(api, other)).status == 201
    goes_on.set()
    assert (await first).status == 201
    assert (await brought(api, upload)).status == 200


async def test_a_page_that_leaves_may_come_again(api, mine, tmp_path):
    upload = await minted(api, mine)
    host, port = api.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    path = upload["url"].removeprefix(api.url)
    writer.write(
        f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x" * 9999
    )
    await writer.drain()
    async with asyncio.timeout(60):
        while not kept_files(tmp_path):
            await asyncio.sleep(0.005)
        writer.close()
        await writer.wait_closed()
        while kept_files(tmp_path) or api.app.state.context.uploads._asset_ids:
            await asyncio.sleep(0.005)
    assert (await brought(api, upload)).status == 201


async def test_a_large_file_is_streamed(api, mine):
    async def pieces():
        for _ in range(64):
            yield b"x" * (1 << 18)

    assert (await brought(api, await minted(api, mine), pieces())).json["bytes"] == 64 << 18


async def test_a_key_that_is_revoked_brings_nothing_from_that_moment_on(either):
    key, mine = await added(either.services.keys)
    upload = await minted(either, mine)
    await either.services.keys.revoke(str(key.id), datetime.now(UTC))
    assert "was revoked" in (await brought(either, upload)).problem(401, "authentication_required")["detail"]


async def test_a_key_that_has_expired_brings_nothing_any_more(serve):
    moment = [datetime.now(UTC)]
    api = await serve(now=lambda: moment[0])
    _, short = await added(api.services.keys, expires_at=moment[0] + timedelta(seconds=30))
    upload = await minted(api, short)
    moment[0] += timedelta(seconds=31)
    assert "has expired" in (await brought(api, upload)).problem(401, "authentication_required")["detail"]


async def test_a_key_that_is_revoked_while_a_file_comes_gets_none(api):
    key, mine = await added(api.services.keys)
    upload = await minted(api, mine)

    async def slowly():
        yield PNG[:10]
        while not api.app.state.context.uploads._asset_ids:
            await asyncio.sleep(0.005)
        await api.services.keys.revoke(str(key.id), datetime.now(UTC))
        yield PNG[10:]

    refused = (await brought(api, upload, slowly())).problem(401, "authentication_required")
    assert "was revoked" in refused["detail"]
    with pytest.raises(UnknownAsset):
        await api.services.store.asset(UUID(upload["asset_id"]))


async def test_an_address_runs_out(serve):
    moment = [datetime.now(UTC)]
    api = await serve(now=lambda: moment[0])
    _, mine = await added(api.services.keys)
    upload = await minted(api, mine, expires_in_s=60)
    moment[0] += timedelta(seconds=60)
    refused = await brought(api, upload)
    assert "fresh address" in refused.problem(403, "expired_url")["detail"]


async def test_any_other_address_is_refused(api, mine):
    """Each letter of it counts, and a refusal reads nothing of the body."""
    upload = await minted(api, mine, max_bytes=1000, media_type="image/*")
    path = upload["url"].removeprefix(api.url)
    begin = path.index(upload["asset_id"])
    for place in range(begin, len(path)):
        changed = path[:place] + ("A" if path[place] != "A" else "B") + path[place + 1 :]
        answer = await api.call("PUT", changed, encoded=True, data=PNG)
        assert answer.status in {401, 403, 404}, changed
    for changed in (
        path.upper(),
        f"{path}x",
        f"{path}&signature=x",
        path.replace("=", "=+"),
        path.partition("?")[0],
    ):
        answer = await api.call("PUT", changed, encoded=True, data=PNG)
        assert answer.status in {401, 403, 404}, changed
    (await api.get(f"/v1/assets/{upload['asset_id']}", headers=mine)).problem(404, "unknown_asset")
    assert (await brought(api, upload)).status == 201


async def test_it_opens_nothing_else(api, mine):
    upload = await minted(api, mine)
    query = upload["url"].partition("?")[2]
    assert (await brought(api, upload)).status == 201
    for method, path in [
        ("GET", f"/v1/assets/{upload['asset_id']}"),
        ("DELETE", f"/v1/assets/{upload['asset_id']}"),
        ("POST", "/v1/uploads"),
        ("POST", "/v1/upload_urls"),
        ("POST", "/v1/tasks"),
        ("POST", f"/v1/uploads/{upload['asset_id']}"),
        ("GET", f"/v1/uploads/{upload['asset_id']}"),
        ("PUT", f"/v1/uploads/{upload['asset_id']}/"),
    ]:
        (await api.call(method, f"{path}?{query}", encoded=True)).problem(401, "authentication_required")
    content = f"/v1/assets/{upload['asset_id']}/content?expires=9999999999&{query}"
    (await api.get(content, encoded=True)).problem(403, "invalid_signature")


async def test_an_api_key_is_no_address(api, mine):
    upload = await minted(api, mine)
    path = f"/v1/uploads/{upload['asset_id']}"
    (await api.call("PUT", path, data=PNG, headers=mine)).problem(403, "invalid_signature")
    refused = await brought(api, upload | {"url": upload["url"][:-1]}, **mine)
    refused.problem(403, "invalid_signature")


async def test_a_key_that_may_only_read_makes_no_address(api):
    _, reader = await added(api.services.keys, scopes=frozenset({Scope.READ}))
    (await api.post("/v1/upload_urls", json={}, headers=reader)).problem(403, "insufficient_scope")


async def test_who_brings_files_uses_up_nothing_of_the_rate_of_the_key(api):
    _, slow = await added(api.services.keys, limits=KeyLimits(rate=Rate.parse("1/h")))
    upload = await minted(api, slow)
    for _ in range(5):
        assert (await brought(api, upload)).status in {200, 201}
    (await api.post("/v1/upload_urls", json={}, headers=slow)).problem(429, "rate_limited")


async def test_without_keys_it_is_good_until_there_is_one(api):
    upload, late = await minted(api), await minted(api)
    assert (await brought(api, upload)).status == 201
    await added(api.services.keys)
    api.app.state.context.authenticator._has_keys_until_s = 0
    (await brought(api, late)).problem(401, "authentication_required")


async def test_a_page_of_another_site_asks_before_and_brings_its_file(serve):
    """As browsers do it: they ask, without a key, whether method and headers are taken, and then send the file."""
    api = await serve(ApiOptions(cors_origins=frozenset({PAGE["Origin"]}), api_key_prefixes={"gp_dev_": "dev"}))
    _, mine = await added(api.services.keys)
    upload = await minted(api, mine, media_type="image/*")
    path = upload["url"].removeprefix(api.url)
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    before = await api.call("OPTIONS", path, encoded=True, headers=PAGE | asks)
    assert before.status == 204
    assert before.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    assert "PUT" in before.headers["Access-Control-Allow-Methods"].split(", ")
    assert "Content-Type" in before.headers["Access-Control-Allow-Headers"].split(", ")
    kept = await brought(api, upload, **PAGE, **{"Content-Type": "image/png"})
    assert (kept.status, kept.headers["Access-Control-Allow-Origin"]) == (201, PAGE["Origin"])
    refused = await brought(api, upload, b"x", **PAGE)
    refused.problem(409, "upload_address_used")
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    other = await api.call("OPTIONS", path, encoded=True, headers=asks | {"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in other.headers


async def test_the_address_is_what_the_public_url_says(serve):
    api = await serve(ApiOptions(public_url="https://media.example.com/", api_key_prefixes={"gp_dev_": "dev"}))
    _, mine = await added(api.services.keys)
    upload = await minted(api, mine)
    assert upload["url"].startswith(f"https://media.example.com/v1/uploads/{upload['asset_id']}?signature=")


async def test_it_works_behind_a_proxy_that_takes_a_prefix_off(serve):
    api = await serve(root_path="/media")
    _, mine = await added(api.services.keys)
    upload = await minted(api, mine)
    path = upload["url"].removeprefix(f"{api.url}/media")
    assert (await api.call("PUT", path, encoded=True, data=PNG)).status == 201

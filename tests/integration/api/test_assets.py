"""Assets and their bytes."""

from datetime import UTC, datetime

import aiohttp
import pytest

from genpulse.domain.assets.asset import key_of
from genpulse.domain.errors import StorageLost, StorageUnavailable

CONTENT = b"0123456789"


@pytest.fixture
async def asset(api):
    return (await api.upload(CONTENT)).json


def path(asset):
    return f"/v1/assets/{asset['id']}/content"


async def test_content_comes_with_all_that_a_client_needs(api, asset):
    whole = await api.get(path(asset))
    assert (whole.status, whole.body) == (200, CONTENT)
    assert whole.headers["Content-Length"] == "10"
    assert whole.headers["ETag"] == f'"{asset["sha256"]}"'
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert whole.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert whole.headers["Content-Type"].startswith(asset["media_type"])


async def test_head_has_the_same_headers_and_no_body(api, asset):
    whole, head = await api.get(path(asset)), await api.call("HEAD", path(asset))
    assert (head.status, head.body) == (200, b"")
    own = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k.lower() not in own} == {
        k: v for k, v in whole.headers.items() if k.lower() not in own
    }


async def test_a_range_is_sent_alone(api, asset):
    for wanted, body, content_range in [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", CONTENT, "bytes 0-9/10"),
        ("bytes=9-99", b"9", "bytes 9-9/10"),
    ]:
        part = await api.get(path(asset), headers={"Range": wanted})
        assert (part.status, part.body) == (206, body)
        assert part.headers["Content-Range"] == content_range
        assert part.headers["Content-Length"] == str(len(body))


async def test_a_range_outside_of_the_content_is_refused(api, asset):
    for wanted in ["bytes=10-", "bytes=99-100", "bytes=-0"]:
        refused = await api.get(path(asset), headers={"Range": wanted})
        refused.problem(416, "range_not_satisfiable")
        assert refused.headers["Content-Range"] == "bytes */10"


async def test_a_range_that_cannot_be_served_gets_the_whole(api, asset):
    for wanted in ["bytes=0-1,4-5", "bytes=5-4", "bytes=x-y", "bytes=-", "lines=1-2", "bytes 0-1"]:
        whole = await api.get(path(asset), headers={"Range": wanted})
        assert (whole.status, whole.body) == (200, CONTENT)
        assert "Content-Range" not in whole.headers


async def test_a_range_of_other_content_gets_the_whole(api, asset):
    etag = f'"{asset["sha256"]}"'
    same = await api.get(path(asset), headers={"Range": "bytes=0-1", "If-Range": etag})
    other = await api.get(path(asset), headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    weak = await api.get(path(asset), headers={"Range": "bytes=0-1", "If-Range": f"W/{etag}"})
    assert [same.status, other.status, weak.status] == [206, 200, 200]


async def test_content_that_the_client_has_is_not_sent_again(api, asset):
    etag = f'"{asset["sha256"]}"'
    for tags in (etag, f'"a", W/{etag}', "*"):
        known = await api.get(path(asset), headers={"If-None-Match": tags})
        assert (known.status, known.body) == (304, b"")
        assert known.headers["ETag"] == etag
    assert (await api.get(path(asset), headers={"If-None-Match": '"a"'})).status == 200


async def test_what_could_run_in_a_browser_is_downloaded(api):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for content in (b"<!DOCTYPE html><script>alert(1)</script>", svg, b"words"):
        kept = (await api.upload(content)).json
        sent = await api.get(path(kept))
        assert sent.headers["Content-Disposition"].startswith(f'attachment; filename="{kept["id"]}.')


async def test_what_can_be_looked_at_is_shown(api):
    gif = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")
    kept = (await api.upload(gif)).json
    sent = await api.get(path(kept))
    assert sent.headers["Content-Disposition"] == f'inline; filename="{kept["id"]}.gif"'
    assert sent.headers["Content-Type"] == "image/gif"


async def test_an_unknown_asset_is_not_found(api):
    for asset_id in ["0197a3a6-0000-7000-8000-000000000000", "nonsense"]:
        for call in ["", "/content"]:
            (await api.get(f"/v1/assets/{asset_id}{call}")).problem(404, "unknown_asset")


async def test_empty_content_is_sent_too(api):
    kept = (await api.upload(b"")).json
    sent = await api.get(path(kept))
    assert (sent.status, sent.body, sent.headers["Content-Length"]) == (200, b"", "0")


async def test_a_storage_that_is_away_is_told_before_anything_is_sent(api, asset):
    api.storage.error = StorageUnavailable("The asset storage does not answer.")
    (await api.get(path(asset))).problem(503, "storage_unavailable")


async def test_content_that_ends_too_early_is_broken_off(api, asset, caplog):
    api.storage.breaks = True
    with pytest.raises(aiohttp.ClientError):
        await api.get(path(asset))
    assert "broke off" in caplog.text
    api.storage.breaks = False
    assert (await api.get(path(asset))).body == CONTENT


@pytest.mark.parametrize("wanted", [None, "bytes=0-3", "bytes=-1"])
async def test_content_that_is_gone_for_ever_is_told_as_such(api, asset, wanted):
    await api.storage.remove([key_of(asset["sha256"], datetime.now(UTC))])
    gone = await api.get(path(asset), headers={"Range": wanted} if wanted else {})
    problem = gone.problem(410, "asset_gone")
    assert problem["detail"].startswith(f"The content of the asset {asset['id']} cannot be had any more.")
    assert "Retry-After" not in gone.headers
    assert (await api.get(f"/v1/assets/{asset['id']}")).json == asset


async def test_content_that_is_cut_off_is_gone_where_it_ends(api, asset):
    api.storage._bucket._store.put(key_of(asset["sha256"], datetime.now(UTC)), CONTENT[:4])
    (await api.get(path(asset))).problem(410, "asset_gone")
    (await api.get(path(asset), headers={"Range": "bytes=4-5"})).problem(410, "asset_gone")
    assert (await api.get(path(asset), headers={"Range": "bytes=0-3"})).body == CONTENT[:4]


async def test_other_bytes_in_place_of_the_content_are_never_the_content(api, asset):
    other = CONTENT[:-1] + b"?"
    api.storage._bucket._store.put(key_of(asset["sha256"], datetime.now(UTC)), other)
    problem = (await api.get(path(asset))).problem(410, "asset_gone")
    assert "not those that were kept" in problem["detail"]


async def test_content_that_is_lost_in_the_middle_is_broken_off(api, asset, caplog):
    api.storage.breaks = StorageLost("The bytes of this asset are gone from the storage.")
    with pytest.raises(aiohttp.ClientError):
        await api.get(path(asset))
    assert "broke off: The content of the asset" in caplog.text

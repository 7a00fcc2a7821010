"""Thumbnails of assets, by HTTP."""

import asyncio
import io
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import obstore
import pytest
from PIL import Image

from genpulse.domain.attempt import Succeeded
from genpulse.domain.errors import DatabaseUnavailable, NoThumbnail, StorageUnavailable
from genpulse.lifecycle import thumbnails as shelf
from genpulse.lifecycle.removal.erase import erase
from genpulse.ports import Thumbnails

WIDTHS = (64, 160, 320, 640, 1280)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def png(width=400, height=300, color="red"):
    file = io.BytesIO()
    Image.new("RGB", (width, height), color).save(file, "PNG")
    return file.getvalue()


def path(asset, width=320):
    return f"/v1/assets/{asset['id']}/content?w={width}"


def opened(answer):
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp"), answer.body
    image = Image.open(io.BytesIO(answer.body))
    assert image.format == "WEBP"
    return image


def local(url):
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


def keys_in(api):
    return {entry["path"] for page in obstore.list(api.storage._bucket._store) for entry in page}


def count(api):
    return api.services.thumbnails.maker.count


@pytest.fixture
async def asset(api):
    return (await api.upload(png())).json


async def test_a_thumbnail_is_made_once_and_found_again(either):
    asset = (await either.upload(png())).json
    first = await either.get(path(asset))
    assert opened(first).size == (320, 240)
    for _ in range(2):
        assert (await either.get(path(asset))).body == first.body
    assert opened(await either.get(path(asset, 64))).size == (64, 48)
    assert count(either) == 2


async def test_no_width_makes_it_wider_than_it_is(api, asset):
    sizes = [opened(await api.get(path(asset, width))).size for width in WIDTHS]
    assert sizes == [(64, 48), (160, 120), (320, 240), (400, 300), (400, 300)]


async def test_another_process_finds_it(api, asset):
    first = (await api.get(path(asset))).body
    context = api.app.state.context
    api.app.state.context = replace(context, thumbnails=shelf.ThumbnailShelf(api.services))
    assert (await api.get(path(asset))).body == first
    assert count(api) == 1


async def test_those_who_ask_at_once_get_the_same(api, asset):
    answers = await asyncio.gather(*(api.get(path(asset)) for _ in range(10)))
    assert len({answer.body for answer in answers}) == 1
    assert count(api) == 1


async def test_two_processes_at_once_leave_one(api, asset):
    before = keys_in(api)
    shelves = [shelf.ThumbnailShelf(api.services) for _ in range(3)]
    kept = await api.services.store.asset(UUID(asset["id"]))
    made = await asyncio.gather(*(one.get(kept, shelf.ThumbnailWidth.W320) for one in shelves))
    assert len(set(made)) == 1
    assert len(keys_in(api) - before) == 1


async def test_it_has_all_that_a_client_needs(api, asset):
    sent = await api.get(path(asset))
    assert sent.headers["ETag"] == f'"{asset["sha256"]}-w320"'
    assert sent.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert sent.headers["Content-Length"] == str(len(sent.body))
    assert sent.headers["Content-Disposition"] == f'inline; filename="{asset["id"]}.webp"'
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "Accept-Ranges" not in sent.headers
    head = await api.call("HEAD", path(asset))
    assert (head.status, head.body) == (200, b"")
    own = {"Date", "X-Request-Id"}
    assert {k: v for k, v in head.headers.items() if k.title() not in own} == {
        k: v for k, v in sent.headers.items() if k.title() not in own
    }
    whole = await api.get(path(asset), headers={"Range": "bytes=0-3"})
    assert (whole.status, whole.body) == (200, sent.body)


async def test_what_the_client_has_is_not_made(api, asset):
    for tag in (f'"{asset["sha256"]}-w320"', f'W/"{asset["sha256"]}-w320"', "*"):
        known = await api.get(path(asset), headers={"If-None-Match": tag})
        assert (known.status, known.body) == (304, b"")
    assert count(api) == 0
    other = {"If-None-Match": f'"{asset["sha256"]}-w64", "{asset["sha256"]}"'}
    assert (await api.get(path(asset), headers=other)).status == 200


@pytest.mark.parametrize("width", ["0", "65", "319", "4000", "-64", "w", "64.5", "1e2", ""])
async def test_other_widths_are_refused_with_a_list(api, asset, width):
    refused = (await api.get(path(asset, width))).problem(422, "invalid_input")
    assert "64, 160, 320, 640 or 1280" in refused["detail"]
    assert refused["errors"][0]["parameter"] == "w"
    assert count(api) == 0


@pytest.mark.parametrize("content", [b"words", b"", SVG, b"ID3\x04\x00\x00\x00\x00\x00\x00"])
async def test_what_is_no_picture_has_none(api, content):
    asset = (await api.upload(content)).json
    assert asset["thumbnail_url"] is None
    for headers in ({}, {"If-None-Match": "*"}):
        refused = (await api.get(path(asset), headers=headers)).problem(404, "no_thumbnail")
        assert asset["media_type"] in refused["detail"]
    assert (await api.get(f"/v1/assets/{asset['id']}/content")).body == content
    assert count(api) == 0


async def test_a_broken_picture_is_told_and_not_tried_again_for_a_while(api):
    asset = (await api.upload(png()[:200])).json
    for width in (320, 320, 64):
        refused = (await api.get(path(asset, width))).problem(404, "no_thumbnail")
        assert "broken" in refused["detail"]
    assert count(api) == 1
    context, later = api.app.state.context, api.services.now() + timedelta(minutes=11)
    context.thumbnails._services = replace(api.services, now=lambda: later)
    (await api.get(path(asset))).problem(404, "no_thumbnail")
    assert count(api) == 2


async def test_it_is_signed_with_the_asset(serve, asset, api):
    url = asset["thumbnail_url"]
    assert urlsplit(url).query.startswith("w=320&expires=")
    opened(await api.get(local(url), headers={"Authorization": "Bearer gp_dev_nobody"}))
    opened(await api.get(local(url).replace("w=320", "w=64")))
    (await api.get(local(url)[:-4] + "AAAA")).problem(403, "invalid_signature")
    (await api.get(local(url).replace("w=320", "w=321"))).problem(422, "invalid_input")


async def test_without_the_libraries_it_is_told_what_to_install(serve):
    api = await serve(thumbnails=None)
    asset = (await api.upload(png())).json
    assert asset["thumbnail_url"] is None
    refused = (await api.get(path(asset))).problem(404, "thumbnails_not_installed")
    assert "genpulse[media]" in refused["detail"]
    assert (await api.get(f"/v1/assets/{asset['id']}/content")).status == 200
    words = (await api.upload(b"words")).json
    (await api.get(path(words))).problem(404, "no_thumbnail")


async def test_a_picture_whose_bytes_are_gone_is_gone(api, asset):
    kept = await api.services.store.asset(UUID(asset["id"]))
    await api.storage.remove([kept.content.key])
    (await api.get(path(asset))).problem(410, "asset_gone")
    (await api.get(path(asset))).problem(410, "asset_gone")
    assert count(api) == 0


async def test_a_thumbnail_whose_bytes_are_gone_is_made_again(either):
    asset = (await either.upload(png())).json
    before = keys_in(either)
    first = (await either.get(path(asset))).body
    for damage in (None, b"other bytes"):
        (key,) = keys_in(either) - before
        await either.storage.remove([key])
        if damage:
            either.storage._bucket._store.put(key, damage)
        assert (await either.get(path(asset))).body == first
        (another,) = keys_in(either) - before
        assert another != key
    assert (await either.get(path(asset))).body == first
    assert count(either) == 3


async def test_a_storage_that_is_away_is_told(api, asset):
    api.storage.error = StorageUnavailable("The asset storage does not answer.")
    (await api.get(path(asset))).problem(503, "storage_unavailable")
    api.storage.error = None
    opened(await api.get(path(asset)))


async def test_one_that_cannot_be_stored_is_sent_nevertheless(api, asset, caplog):
    class Away:
        find = staticmethod(api.services.thumbnails.store.find)

        async def add(self, *_, **__):
            raise DatabaseUnavailable("PostgreSQL does not answer.")

    services = replace(api.services, thumbnails=Thumbnails(Away(), api.services.thumbnails.maker))
    api.app.state.context = replace(api.app.state.context, thumbnails=shelf.ThumbnailShelf(services))
    opened(await api.get(path(asset)))
    assert "is not stored" in caplog.text


class HeldMaker:
    """Makes nothing before it may."""

    def __init__(self):
        self.allowed, self.count, self.at_once, self.most = asyncio.Event(), 0, 0, 0

    async def make(self, *_):
        self.count, self.at_once = self.count + 1, self.at_once + 1
        self.most = max(self.most, self.at_once)
        await self.allowed.wait()
        self.at_once -= 1
        if self.count > 3:
            raise NoThumbnail("The maker is tired.")
        return b"webp"


@pytest.fixture
async def held(serve):
    maker = HeldMaker()
    api = await serve()
    services = replace(api.services, thumbnails=Thumbnails(api.services.thumbnails.store, maker))
    api.app.state.context = replace(api.app.state.context, thumbnails=shelf.ThumbnailShelf(services))
    yield api, maker
    maker.allowed.set()
    await api.app.state.context.thumbnails.close()


async def waiting(api, number):
    while len(api.app.state.context.thumbnails._making) < number:
        await asyncio.sleep(0.005)


async def test_few_are_made_at_once_and_too_many_are_not_waited_for(held, monkeypatch):
    api, maker = held
    monkeypatch.setattr(shelf, "MOST_WAITING", 4)
    assets = [(await api.upload(png(width=100 + number))).json for number in range(5)]
    asking = [asyncio.create_task(api.get(path(asset))) for asset in assets[:4]]
    await waiting(api, 4)
    busy = await api.get(path(assets[4]))
    busy.problem(503, "thumbnails_busy")
    assert busy.headers["Retry-After"] == "5"
    assert (await api.submit()).status == 202
    maker.allowed.set()
    statuses = sorted([(await one).status for one in asking])
    assert statuses == [200, 200, 200, 404]
    assert 1 <= maker.most <= shelf.AT_ONCE


async def test_who_goes_away_takes_nothing_from_the_others(held):
    api, maker = held
    asset = (await api.upload(png())).json
    kept = await api.services.store.asset(UUID(asset["id"]))
    thumbnails = api.app.state.context.thumbnails
    first, second = (asyncio.create_task(thumbnails.get(kept, shelf.ThumbnailWidth.W64)) for _ in range(2))
    await waiting(api, 1)
    first.cancel()
    maker.allowed.set()
    assert (await second, maker.count) == (b"webp", 1)


async def test_nothing_of_it_is_left_when_the_asset_is_deleted_meanwhile(held):
    api, maker = held
    before = keys_in(api)
    asset = (await api.upload(png())).json
    asking = asyncio.create_task(api.get(path(asset)))
    await waiting(api, 1)
    assert (await api.call("DELETE", f"/v1/assets/{asset['id']}")).status == 204
    await erase(api.services, settled_s=0)
    maker.allowed.set()
    await asking
    assert keys_in(api) - before <= {"probe"}
    (await api.get(path(asset))).problem(404, "unknown_asset")


async def test_a_task_shows_where_the_thumbnails_of_its_outputs_are(api):
    async with api.worker():
        task = (await api.submit(headers={"Prefer": "wait=20"})).json
    (output,) = task["outputs"]
    assert output["media_type"] == "text/plain"
    assert output["thumbnail_url"] is None
    kept = await api.services.store.asset(UUID((await api.upload(png())).json["id"]))
    submitted = (await api.submit()).json
    await api.end(Succeeded((replace(kept, id=api.services.new_id(), task_id=UUID(submitted["id"])),)))
    (output,) = (await api.get(f"/v1/tasks/{submitted['id']}")).json["outputs"]
    assert output["thumbnail_url"] == output["url"].replace("content?", "content?w=320&")
    opened(await api.get(local(output["thumbnail_url"])))

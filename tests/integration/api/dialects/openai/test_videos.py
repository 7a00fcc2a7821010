"""Videos by OpenAI's calls."""

import asyncio

import pytest

from genpulse.dialects.openai.videos.ids import task_id_of
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added
from tests.integration.api.dialects.openai.conftest import png, refused

FILM = [("model", "art/film"), ("prompt", "a storm")]


async def ended(openai, video_id: str):
    async with asyncio.timeout(60):
        while True:
            answer = await openai.get(f"/videos/{video_id}")
            video = answer.json
            assert type(video["progress"]) is int
            assert ("openai-poll-after-ms" in answer.headers) == (video["status"] in {"queued", "in_progress"})
            if video["status"] not in {"queued", "in_progress"}:
                return video
            await asyncio.sleep(0.01)


async def test_a_video_from_its_order_to_its_bytes(openai):
    more = [("seconds", "4"), ("size", "128x64"), ("loop", "true"), ("input_reference", png())]
    answer = await openai.form("/videos", FILM + more)
    video = answer.json
    assert video["id"] == f"video_{answer.headers['X-GenPulse-Task'].replace('-', '')}"
    assert (video["object"], video["seconds"], video["size"]) == ("video", "4", "128x64")
    assert (video["model"], video["prompt"], video["error"]) == ("art/film", "a storm", None)
    done = await ended(openai, video["id"])
    assert (done["status"], done["progress"]) == ("completed", 100)
    assert done["completed_at"] >= done["created_at"]
    (asked,) = openai.makers["film"].asked
    assert (asked.duration_s, asked.width, asked.loop) == (4, 128, True)
    content = await openai.get(f"/videos/{video['id']}/content")
    assert (content.status, content.body) == (200, b"film")
    part = await openai.get(f"/videos/{video['id']}/content", headers={"Range": "bytes=1-2"})
    assert (part.status, part.body) == (206, b"il")


async def test_a_picture_may_come_by_its_address(openai):
    asset = (await openai.served.upload(png())).json
    answer = await openai.form("/videos", [*FILM, ("input_reference[image_url]", f"asset:{asset['id']}")])
    assert (await ended(openai, answer.json["id"]))["status"] == "completed"
    answer = await openai.post("/videos", {"model": "art/film", "prompt": "x", "seconds": "1"})
    assert (answer.status, answer.json["seconds"]) == (200, "1")


async def test_any_task_is_read_under_its_own_id_too(openai):
    task = (await openai.served.submit("art/paint")).json
    assert (await ended(openai, task["id"]))["id"] == f"video_{task['id'].replace('-', '')}"


async def test_failures_are_told_in_the_video(openai):
    failed = await openai.form("/videos", [("model", "art/film"), ("prompt", "naked")])
    assert (await ended(openai, failed.json["id"]))["error"]["code"] == "moderation_blocked"
    refused(await openai.get(f"/videos/{failed.json['id']}/content"), 404, "video_not_ready")


async def test_deleting_what_has_ended_removes_it(openai):
    video = (await openai.form("/videos", FILM)).json
    await ended(openai, video["id"])
    gone = await openai.served.call("DELETE", f"/openai/v1/videos/{video['id']}")
    assert gone.json == {"id": video["id"], "object": "video.deleted", "deleted": True}
    refused(await openai.get(f"/videos/{video['id']}"), 404, "unknown_task")
    refused(await openai.served.call("DELETE", f"/openai/v1/videos/{video['id']}"), 404, "unknown_task")


async def test_deleting_what_goes_on_cancels_it(openai):
    task = (await openai.served.submit("art/film", kind="text-to-video", run_at="2026-12-20T00:00:00Z")).json
    assert (await openai.served.call("DELETE", f"/openai/v1/videos/{task['id']}")).json["deleted"]
    video = await ended(openai, task["id"])
    assert (video["status"], video["error"]["code"]) == ("failed", "canceled")


async def test_lists_are_walked_both_ways(openai):
    for _ in range(5):
        await openai.form("/videos", FILM)
    await openai.served.submit("art/paint")
    whole = (await openai.get("/videos?limit=100")).json
    ids = [one["id"] for one in whole["data"]]
    assert (len(ids), whole["has_more"], whole["first_id"], whole["last_id"]) == (5, False, ids[0], ids[-1])
    for order, expected in (("desc", ids), ("asc", ids[::-1])):
        walked, after = [], ""
        while True:
            page = (await openai.get(f"/videos?limit=2&order={order}{after}")).json
            walked += [one["id"] for one in page["data"]]
            if not page["has_more"]:
                break
            after = f"&after={page['last_id']}"
        assert walked == expected
    assert len((await openai.get("/videos?kind=all")).json["data"]) == 6
    assert len((await openai.get("/videos?kind=text-to-image")).json["data"]) == 1


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("limit=0", "invalid_value", "limit"),
        ("limit=x", "invalid_value", "limit"),
        ("order=up", "invalid_value", "order"),
        ("after=x", "invalid_value", "after"),
        ("kind=A", "invalid_value", "kind"),
        ("status=x", "unknown_parameter", "status"),
    ],
)
async def test_lists_say_what_they_do_not_take(openai, query, code, field):
    refused(await openai.get(f"/videos?{query}"), 400, code, field)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ([("seconds", "99")], "invalid_input", "seconds"),
        ([("seconds", "a while")], "invalid_input", "seconds"),
        ([("loop", "perhaps")], "invalid_input", "loop"),
        ([("size", "9999x9999")], "invalid_input", "size"),
        ([("video", png())], "invalid_input", "video"),
        ([("fps", "8")], "unknown_parameter", "fps"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_field(openai, fields, code, field):
    refused(await openai.form("/videos", FILM + fields), 400, code, field)
    assert await openai.tasks() == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/videos/video_1/remix"),
        ("POST", "/videos/edits"),
        ("POST", "/videos/extensions"),
        ("POST", "/videos/characters"),
        ("GET", "/videos/characters/c"),
    ],
)
async def test_what_no_model_can_do_is_said(openai, method, path):
    refused(await openai.served.call(method, f"/openai/v1{path}", json={}), 400, "unsupported_operation")


@pytest.mark.parametrize("variant", ["spritesheet", "poster"])
async def test_variants_that_are_not_made(openai, variant):
    task = (await openai.served.submit("art/film", kind="text-to-video")).json
    await ended(openai, task["id"])
    refused(await openai.get(f"/videos/{task['id']}/content?variant={variant}"), 400, "invalid_value", "variant")
    refused(await openai.get(f"/videos/{task['id']}/content?variant=thumbnail"), 404, "no_thumbnail")


async def test_keys_see_their_own_alone(openai):
    keys = openai.served.services.keys
    _, mine = await added(keys)
    _, theirs = await added(keys)
    _, reads = await added(keys, scopes=frozenset({Scope.READ}))
    video = (await openai.form("/videos", FILM, headers=mine)).json
    refused(await openai.get(f"/videos/{video['id']}", headers=theirs), 404, "unknown_task")
    refused(await openai.get(f"/videos/{video['id']}/content", headers=theirs), 404, "unknown_task")
    gone = await openai.served.call("DELETE", f"/openai/v1/videos/{video['id']}", headers=theirs)
    refused(gone, 404, "unknown_task")
    assert (await openai.get("/videos", headers=theirs)).json["data"] == []
    refused(await openai.form("/videos", FILM, headers=reads), 403, "insufficient_scope")
    refused(await openai.get("/videos"), 401, "invalid_api_key")


async def test_a_deadline_and_a_webhook_are_fields_of_ours(openai):
    more = [("deadline_s", "60"), ("webhook_url", "https://example.com/h"), ("metadata[order]", "7")]
    video = (await openai.form("/videos", FILM + more)).json
    task = await openai.served.services.store.get(task_id_of(video["id"]))
    assert (task.webhook_url, task.metadata) == ("https://example.com/h", {"order": "7"})
    assert (task.webhook_choice.form, task.deadline_at is not None) == ("openai", True)
    headers = {"X-GenPulse-Webhook-URL": "https://example.com/all"}
    video = (await openai.form("/videos", FILM, headers=headers)).json
    task = await openai.served.services.store.get(task_id_of(video["id"]))
    assert task.webhook_url == "https://example.com/all"

"""Pictures by OpenAI's calls."""

import json

import pytest

from tests.integration.api.dialects.openai.conftest import pictures, png, refused

WORDS = {"model": "art/paint", "prompt": "a fox"}


async def test_fields_are_told_as_the_model_has_them(openai):
    body = {**WORDS, "size": "256x128", "n": 2, "seed": 7, "user": "ann", "quality": "auto", "background": "auto"}
    answer = await openai.post("/images/generations", body)
    assert pictures(answer) == [png(), png()]
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert (answer.json["size"], answer.json["output_format"]) == ("8x8", "png")
    (asked,) = openai.makers["paint"].asked
    assert (asked.width, asked.height, asked.num_images, asked.seed) == (256, 128, 2, 7)
    task = (await openai.served.get(f"/v1/tasks/{answer.headers['X-GenPulse-Task']}")).json
    assert task["metadata"] == {"user": "ann"}


async def test_a_url_is_ours_and_needs_no_key(openai):
    answer = await openai.post("/images/generations", {**WORDS, "response_format": "url"})
    (item,) = answer.json["data"]
    assert item["url"].startswith(openai.served.url)
    for headers in ({}, {"Authorization": "Bearer something"}):
        async with openai.served.client.get(item["url"], headers=headers, allow_redirects=False) as found:
            assert (found.status, await found.read()) == (200, png())


async def test_names_of_models_are_aliases_too(openai):
    assert pictures(await openai.post("/images/generations", {"model": "gpt-image-1", "prompt": "x"})) == [png()]
    listed = [one["id"] for one in (await openai.get("/models")).json["data"]]
    assert {"gpt-image-1", "art/paint", "art/film"} <= set(listed)
    assert (await openai.get("/models/art/paint")).json["object"] == "model"


async def test_a_stream_gives_the_completed_event_alone(openai):
    answer = await openai.post("/images/generations", {**WORDS, "stream": True, "partial_images": 3})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    (event,) = [one for one in answer.body.decode().split("\n\n") if one and not one.startswith(":")]
    name, data = event.split("\n")
    assert name == "event: image_generation.completed"
    assert json.loads(data.removeprefix("data: "))["type"] == "image_generation.completed"


async def test_a_stream_tells_what_went_wrong(openai):
    answer = await openai.post("/images/generations", {**WORDS, "prompt": "naked", "stream": True})
    assert answer.status == 200
    data = answer.body.decode().split("event: error\ndata: ")[1]
    assert json.loads(data)["error"]["code"] == "moderation_blocked"


async def test_files_of_forms_are_inputs(openai):
    fields = [("model", "art/repaint"), ("image", png()), ("mask", png()), ("prompt", "at dusk")]
    assert pictures(await openai.form("/images/edits", fields)) == [png()]
    fields = [("model", "art/collage"), ("image[]", png()), ("image[]", png(4)), ("prompt", "both")]
    answer = await openai.form("/images/edits", fields)
    assert pictures(answer) == [png()]
    assert answer.headers["X-GenPulse-Ignored"] == "prompt"
    assert len(openai.makers["collage"].asked[0].images) == 2
    assert pictures(await openai.form("/images/variations", [("model", "art/collage"), ("image", png())]))


async def test_pictures_may_be_named_by_an_address(openai):
    asset = (await openai.served.upload(png())).json
    for value in (f"asset:{asset['id']}", {"image_url": f"asset:{asset['id']}"}, [f"asset:{asset['id']}"]):
        body = {"model": "art/repaint", "image": value, "prompt": "x"}
        assert pictures(await openai.post("/images/edits", body)) == [png()]


async def test_what_only_such_a_server_knows_goes_there(openai):
    body = {"model": "art/remote", "prompt": "x", "size": "64x64", "moderation": "low", "output_compression": 50}
    assert pictures(await openai.post("/images/generations", body)) == [png()]
    (asked,) = openai.makers["remote"].asked
    assert (asked.size, asked.extra) == ("64x64", {"moderation": "low", "output_compression": 50})


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"size": "9000x9000"}, "invalid_input", "size"),
        ({"size": "huge"}, "invalid_value", "size"),
        ({"size": "512"}, "invalid_value", "size"),
        ({"size": "512x"}, "invalid_value", "size"),
        ({"size": 512}, "invalid_value", "size"),
        ({"n": 9}, "invalid_input", "n"),
        ({"quality": "high"}, "unknown_parameter", "quality"),
        ({"sede": 1}, "unknown_parameter", "sede"),
        ({"prompt": ""}, "invalid_input", "prompt"),
        ({"prompt": None}, "invalid_input", "prompt"),
        ({"response_format": "gif"}, "invalid_value", "response_format"),
        ({"response_format": ["url"]}, "invalid_value", "response_format"),
        ({"stream": 7}, "invalid_value", "stream"),
        ({"model": 7}, "invalid_type", "model"),
        ({"model": "art/film"}, "model_not_supported", "model"),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"webhook_url": "nowhere"}, "invalid_input", "webhook_url"),
        ({"deadline_s": -1}, "invalid_input", "deadline_s"),
        ({"metadata": 7}, "invalid_input", "metadata"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_field(openai, more, code, field):
    answer = await openai.post("/images/generations", {**WORDS, **more})
    error = refused(answer, 400, code, field)
    assert error["type"] == "invalid_request_error"
    assert answer.headers["x-should-retry"] == "false"
    assert await openai.tasks() == 0


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ([("prompt", "x")], "missing_required_parameter", "image"),
        ([("image", png()), ("image", png())], "invalid_value", "image"),
        ([("picture", png())], "invalid_input", "picture"),
        ([("image", b"")], "invalid_input", "image"),
        ([("image", png()), ("a[b", "x")], "invalid_input", "a[b"),
        ([("image", png()), ("prompt", "x"), ("prompt", "y")], "invalid_input", "prompt"),
        ([("image", png()), ("sede", "1")], "unknown_parameter", "sede"),
    ],
)
async def test_forms_that_do_not_fit_are_refused_with_their_field(openai, fields, code, field):
    refused(await openai.form("/images/edits", [("model", "art/repaint"), *fields]), 400, code, field)
    assert await openai.tasks() == 0


async def test_bodies_that_cannot_be_read(openai):
    headers = {"Content-Type": "application/json"}
    answer = await openai.served.post("/openai/v1/images/generations", data=b"{", headers=headers)
    refused(answer, 400, "invalid_json")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await openai.served.post("/openai/v1/images/edits", data=b"--x\r\n", headers=headers)
    refused(answer, 400, "upload_incomplete")
    answer = await openai.served.post("/openai/v1/images/generations", data=b"x", headers={"Content-Type": "a/b"})
    refused(answer, 415, "unsupported_media_type")
    refused(await openai.post("/images/generations", [1]), 400, "invalid_input")


async def test_a_format_that_no_model_was_told_is_never_another_one(openai):
    assert pictures(await openai.post("/images/generations", {**WORDS, "output_format": "png"})) == [png()]
    answer = await openai.post("/images/generations", {**WORDS, "output_format": "webp"})
    refused(answer, 400, "unsupported_format", "output_format")


async def test_failures_of_tasks_are_errors_that_nobody_repeats(openai):
    blocked = await openai.post("/images/generations", {**WORDS, "prompt": "naked"})
    assert refused(blocked, 400, "moderation_blocked")["type"] == "image_generation_user_error"
    away = await openai.post("/images/generations", {**WORDS, "prompt": "away"})
    assert refused(away, 503, "provider_unavailable")["type"] == "server_error"
    assert (blocked.headers["x-should-retry"], away.headers["x-should-retry"]) == ("false", "false")

"""What a submit refuses in place of queueing it, as a caller sees it."""

from dataclasses import replace

import pytest

from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.task import Priority
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import added
from tests.integration.api.conftest import Easel, Print, Sketch

ORDER = {"model": "art/easel", "input": {"prompt": "a fox"}}


async def orders(api, body, headers=None):
    """The same order alone and as the second of a batch, and where the second one's places begin."""
    yield await api.post("/v1/tasks", json=body, headers=headers), ""
    yield await api.post("/v1/tasks/batch", json={"tasks": [ORDER, body]}, headers=headers), "/tasks/1"


@pytest.fixture
def bare():
    """A catalogue of a provider without a key, and of one that needs none."""
    model = Model("easel", ("text-to-image",), Sketch, Easel())
    return LoadedCatalogue([Provider("fal", (model,), configured=False), Provider("art", (model,))])


async def test_a_model_whose_provider_has_no_key_is_refused_with_the_variable(serve, bare):
    api = await serve(catalogue=bare)
    async for answer, _ in orders(api, ORDER | {"model": "fal/easel"}):
        problem = answer.problem(422, "provider_not_configured")
        assert "GENPULSE_PROVIDERS__FAL__API_KEY" in problem["detail"]
    models = (await api.get("/v1/models")).json["data"]
    assert {model["id"]: model["configured"] for model in models} == {"art/easel": True, "fal/easel": False}
    assert (await api.get("/v1/tasks")).json["data"] == []


async def test_a_webhook_that_leads_inside_is_refused_at_its_place(serve):
    sender = WebhookSender(None, allow_private=False, version="1")
    api = await serve(sender=sender)
    async for answer, place in orders(api, ORDER | {"webhook_url": "http://169.254.169.254/latest"}):
        (error,) = answer.problem(422, "invalid_input")["errors"]
        assert error["pointer"] == f"{place}/webhook_url"
        assert "not a public address" in error["detail"]
    assert (await api.submit(webhook_url="https://example.com/hook")).status == 202
    await sender.close()


async def test_an_input_may_name_an_upload_and_nothing_that_is_not_there(api):
    upload = (await api.upload(b"GIF89a")).json["id"]
    assert (await api.submit(input={"prompt": f"asset:{upload}"})).status == 202
    for named in ("asset:0197a3a6-1111-7222-8333-00000000abcf", "asset:nothing"):
        async for answer, place in orders(api, ORDER | {"input": {"prompt": named}}):
            (error,) = answer.problem(422, "invalid_input")["errors"]
            assert error["pointer"] == f"{place}/input/prompt"
            assert named in error["detail"]


async def test_an_upload_of_another_key_is_not_there(api):
    _, one = await added(api.services.keys)
    _, two = await added(api.services.keys)
    form = {"data": b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nGIF89a\r\n--x--\r\n'}
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    upload = (await api.post("/v1/uploads", **form, headers=one | headers)).json["id"]
    order = {"prompt": f"asset:{upload}"}
    assert (await api.submit(headers=one, input=order)).status == 202
    (await api.submit(headers=two, input=order)).problem(422, "invalid_input")


@pytest.mark.parametrize("highest", Priority)
async def test_a_key_asks_for_no_higher_priority_than_it_may(api, highest):
    _, headers = await added(api.services.keys, limits=KeyLimits(max_priority=highest), name="shop")
    for wanted in Priority:
        async for answer, place in orders(api, ORDER | {"priority": wanted.word}, headers):
            if wanted <= highest:
                assert answer.status == 202
                continue
            problem = answer.problem(403, "priority_not_allowed")
            assert repr(highest.word) in problem["detail"]
            assert "'shop'" in problem["detail"]
            assert [error["pointer"] for error in problem["errors"]] == [f"{place}/priority"]
    usual = (await api.submit(headers=headers)).json["priority"]
    assert usual == min(highest, Priority.NORMAL).word


async def test_a_key_without_a_ceiling_asks_for_what_it_likes(api):
    _, headers = await added(api.services.keys)
    assert (await api.submit(headers=headers, priority="high")).json["priority"] == "high"
    assert (await api.submit(headers=headers)).json["priority"] == "normal"


async def test_a_kind_may_be_left_out_where_the_input_decides_it(serve):
    several = ("text-to-image", "image-to-image")
    decided = Model("decided", several, Sketch, Print(), decide_kind=lambda it: several[it.width > 64])
    silent = replace(decided, name="silent", decide_kind=lambda it: None)
    wrong = replace(decided, name="wrong", decide_kind=lambda it: "text-to-speech")
    api = await serve(catalogue=LoadedCatalogue([Provider("art", (decided, silent, wrong))]))
    for width, kind in ((64, "text-to-image"), (65, "image-to-image")):
        assert (await api.submit("art/decided", input={"prompt": "x", "width": width})).json["kind"] == kind
    assert (await api.submit("art/decided", kind="image-to-image")).json["kind"] == "image-to-image"
    for model in ("art/silent", "art/wrong"):
        (error,) = (await api.submit(model)).problem(422, "invalid_input")["errors"]
        assert error == {"pointer": "/kind", "detail": "say which one is meant: text-to-image, image-to-image"}
    (await api.submit("art/decided", kind="")).problem(422, "unknown_kind")

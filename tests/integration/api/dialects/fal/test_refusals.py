"""Calls that fal's door refuses, in fal's words."""

import io

import pytest

from genpulse.dialects.fal.door import BODY_BYTES
from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.provider_account.rate import Rate
from tests.api_keys import added
from tests.integration.api.dialects.fal.conftest import APP


def told(answer, status, kind):
    assert answer.status == status, answer.body
    assert answer.json["error_type"] == answer.headers["X-Fal-Error-Type"] == kind
    assert answer.json["detail"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json["detail"]


async def test_an_unknown_model_is_told_with_those_that_are_near(fal):
    assert APP in told(await fal.submit("art/easle"), 404, "unknown_model")


@pytest.mark.parametrize(
    ("arguments", "loc"),
    [
        ({"prompt": 5}, ["body", "prompt"]),
        ({"width": 5}, ["body", "prompt"]),
        ({"prompt": "a", "width": 0}, ["body", "width"]),
    ],
)
async def test_input_that_does_not_fit_is_told_with_its_place(fal, arguments, loc):
    (problem,) = told(await fal.submit(**arguments), 422, "invalid_input")
    assert (problem["loc"], problem["type"]) == (loc, "value_error")
    assert problem["msg"]


@pytest.mark.parametrize("body", ["[]", "5", '"text"', "null"])
async def test_arguments_are_an_object(fal, body):
    answer = await fal.call("POST", f"/queue/{APP}", data=body, headers={"Content-Type": "application/json"})
    told(answer, 422, "invalid_input")


async def test_bodies_that_are_no_json(fal):
    json, text = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    told(await fal.call("POST", f"/queue/{APP}", data="{", headers=json), 400, "invalid_json")
    told(await fal.call("POST", f"/queue/{APP}", data='{"a": 1, "a": 2}', headers=json), 422, "invalid_input")
    told(await fal.call("POST", f"/queue/{APP}", data="{}", headers=text), 415, "unsupported_media_type")


async def test_no_body_is_no_arguments(fal):
    (problem,) = told(await fal.call("POST", f"/queue/{APP}"), 422, "invalid_input")
    assert problem["loc"] == ["body", "prompt"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Fal-Queue-Priority": "urgent"},
        {"X-Fal-Request-Timeout": "soon"},
        {"X-Fal-Request-Timeout": "0"},
        {"X-Fal-Request-Timeout": "-1"},
        {"X-Fal-Request-Timeout": "nan"},
        {"X-Fal-Request-Timeout": "inf"},
        {"X-Fal-Request-Timeout": "1e9"},
    ],
)
async def test_headers_that_make_no_sense(fal, headers):
    assert next(iter(headers)) in told(await fal.submit(headers=headers), 422, "invalid_input")


@pytest.mark.parametrize("url", ["ftp://somewhere/x", "nonsense", "https://h/" + "x" * 2048, "http://a%00b/"])
async def test_a_webhook_that_is_never_sent(fal, url):
    (problem,) = told(await fal.submit(query=f"?fal_webhook={url}"), 422, "invalid_input")
    assert problem["loc"] == ["query", "fal_webhook"]


async def test_keys(fal):
    _, reading = await added(fal.api.services.keys, scopes=frozenset({Scope.READ}))
    without = await fal.submit()
    told(without, 401, "authentication_required")
    assert without.headers["WWW-Authenticate"] == "Key"
    told(await fal.submit(headers={"Authorization": "Key gp_dev_wrong"}), 401, "authentication_required")
    told(await fal.submit(headers={"Authorization": "Key gp_live_wrong"}), 403, "foreign_environment")
    told(await fal.submit(headers=reading), 403, "insufficient_scope")


async def test_a_key_that_calls_too_often_is_told_when_it_may_again(fal):
    _, key = await added(fal.api.services.keys, limits=KeyLimits(rate=Rate(1, 60)))
    caller = fal.as_caller(key)
    assert (await caller.submit()).status == 200
    answer = await caller.submit()
    told(answer, 429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_key_with_too_many_tasks(fal):
    _, key = await added(fal.api.services.keys, limits=KeyLimits(max_active_tasks=1))
    caller = fal.as_caller(key)
    assert (await caller.submit()).status == 200
    told(await caller.submit(prompt="another"), 429, "key_limit_exceeded")


async def test_what_there_is_not(fal):
    told(await fal.call("GET", "/nowhere"), 404, "not_found")
    answer = await fal.call("DELETE", f"/queue/{APP}")
    told(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"
    told(await fal.call("GET", f"/run/{APP}/realtime"), 400, "realtime_not_supported")
    told(await fal.call("POST", "/rest/tokens/", json={}), 400, "realtime_not_supported")


async def test_a_body_that_is_too_large(fal):
    answer = await fal.call("POST", f"/queue/{APP}", data=io.BytesIO(bytes(BODY_BYTES + 1)))
    told(answer, 413, "content_too_large")

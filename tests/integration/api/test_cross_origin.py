"""Calls that web pages of other sites make."""

import pytest

from genpulse.api.middleware.cross_origin import EXPOSED
from genpulse.api.options import ApiOptions
from tests.api_keys import added

PAGE = {"Origin": "https://app.example.com"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
async def shared(serve):
    """An API that pages of one site may call."""
    return await serve(ApiOptions(cors_origins=frozenset({PAGE["Origin"]})))


async def test_a_browser_may_ask_before_without_a_key(shared):
    await added(shared.services.keys)
    answer = await shared.call("OPTIONS", "/v1/tasks", headers=PAGE | ASKS)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    for method in ("GET", "POST", "PATCH", "DELETE"):
        assert method in answer.headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "Prefer", "Range"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_page_reads_answers_their_headers_and_refusals(shared):
    _, mine = await added(shared.services.keys)
    answer = await shared.submit(headers=mine | PAGE)
    assert answer.status == 202
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    for name in ("Location", "ETag", "Idempotent-Replayed", "Retry-After", "X-Request-Id", "X-GenPulse-Cost-USD"):
        assert name in answer.headers["Access-Control-Expose-Headers"]
    refused = await shared.get("/v1/tasks", headers=PAGE)
    refused.problem(401, "authentication_required")
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]


async def test_a_page_can_read_each_header_that_the_document_tells_of(shared):
    document = (await shared.get("/openapi.json")).json
    answers = [
        answer
        for call in document["paths"].values()
        for method in call.values()
        if isinstance(method, dict)
        for answer in method["responses"].values()
    ]
    told = {name for answer in answers for name in answer.get("headers", ())}
    assert len(told) > 10
    assert told - {name.strip() for name in EXPOSED.split(",")} - {"Cache-Control", "Content-Type"} == set()


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "http://app.example.com", "null", PAGE["Origin"] + "/"]
)
async def test_pages_of_other_sites_read_nothing(shared, origin):
    _, mine = await added(shared.services.keys)
    for answer in (
        await shared.call("OPTIONS", "/v1/tasks", headers=ASKS | {"Origin": origin}),
        await shared.get("/v1/tasks", headers=mine | {"Origin": origin}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


async def test_caches_keep_answers_to_pages_and_to_others_apart(shared):
    assert (await shared.get("/healthz")).headers["Vary"] == "Origin"


async def test_without_origins_nothing_is_said(api):
    answer = await api.get("/healthz", headers=PAGE)
    assert not [name for name in answer.headers if name.lower().startswith(("access-control", "vary"))]
    (await api.call("OPTIONS", "/healthz", headers=PAGE | ASKS)).problem(405, "method_not_allowed")


async def test_a_star_is_every_page(serve):
    api = await serve(ApiOptions(cors_origins=frozenset({"*"})))
    answer = await api.get("/healthz", headers=PAGE)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
    refused = await api.get("/v1/tasks", headers=PAGE)
    refused.problem(401, "authentication_required")


async def test_options_of_a_program_are_as_ever(shared):
    (await shared.call("OPTIONS", "/healthz", headers=PAGE)).problem(405, "method_not_allowed")

"""APIs of others on the same port."""

import json

import pytest
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of
from genpulse.api.door import Door, DoorCall
from genpulse.api.error_status import headers_of, status_of
from genpulse.api.options import ApiOptions
from genpulse.domain.keys.api_key import Scope as KeyScope
from tests.api_keys import added


def refuse(error, scope) -> Response:
    body = json.dumps({"oops": error.code, "at": scope["path"]})
    return Response(body, status_of(error), headers_of(error), "text/oops")


async def who(request: Request) -> Response:
    return Response(f"{caller_of(request).owner}|{request.path_params['name']}")


async def take(request: Request) -> Response:
    return Response(str(len(await request.body())))


@pytest.fixture
def door() -> Door:
    calls = (
        DoorCall("GET", "/v1/{name}", who),
        DoorCall("POST", "/v1/{name}", take),
        DoorCall("PUT", "/files/{name}", take, takes_files=True),
        DoorCall("POST", "/search", take, reads=True),
        DoorCall("GET", "/open", take, needs_key=False),
    )
    return Door("odd", "/odd", calls, refuse, lambda _scope: (("X-Odd", "yes"),))


@pytest.fixture
async def served(serve, door):
    return await serve(doors=[door])


async def asked(served, method, path, **words):
    async with served.client.request(method, f"{served.url}{path}", **words) as answer:
        return answer.status, answer.headers, await answer.text()


async def test_a_door_answers_its_calls_and_has_its_headers_on_all(served):
    status, headers, body = await asked(served, "GET", "/odd/v1/me/")
    assert (status, body, headers["X-Odd"]) == (200, "|me", "yes")
    assert (await asked(served, "HEAD", "/odd/v1/me"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/odd", 404, "not_found"),
        ("GET", "/odd/v1/a/b", 404, "not_found"),
        ("DELETE", "/odd/v1/a", 405, "method_not_allowed"),
    ],
)
async def test_what_it_does_not_have_is_refused_in_its_words(served, method, path, status, code):
    found, headers, body = await asked(served, method, path)
    assert (found, json.loads(body)["oops"], headers["X-Odd"]) == (status, code, "yes")
    assert headers["Content-Type"].startswith("text/oops")


async def test_paths_that_only_begin_alike_are_ours(served):
    status, headers, body = await asked(served, "GET", "/oddity/v1/me")
    assert (status, json.loads(body)["code"]) == (404, "not_found")
    assert "X-Odd" not in headers


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "Key", "key"])
async def test_a_key_stands_behind_any_of_three_words(served, scheme):
    key, headers = await added(served.services.keys)
    headers = {"Authorization": headers["Authorization"].replace("Bearer", scheme)}
    status, _, body = await asked(served, "GET", "/odd/v1/me", headers=headers)
    assert (status, body) == (200, f"{key.id}|me")


async def test_without_a_key_it_says_so_in_its_words(served):
    await added(served.services.keys)
    for words in ({}, {"headers": {"Authorization": "Key gp_dev_wrong"}}):
        status, _, body = await asked(served, "GET", "/odd/v1/me", **words)
        assert (status, json.loads(body)["oops"]) == (401, "authentication_required")
    assert (await asked(served, "GET", "/odd/open"))[0] == 200


async def test_scopes_hold_at_a_door(served):
    _, headers = await added(served.services.keys, scopes=frozenset({KeyScope.READ}))
    assert (await asked(served, "POST", "/odd/search", headers=headers))[0] == 200
    status, _, body = await asked(served, "POST", "/odd/v1/me", headers=headers)
    assert (status, json.loads(body)["oops"]) == (403, "insufficient_scope")


async def test_bodies_are_guarded_and_files_may_be_larger(serve, door):
    served = await serve(ApiOptions(body_limit_bytes=1000, upload_limit_bytes=5000), doors=[door])
    assert (await asked(served, "POST", "/odd/v1/me", data=b"x" * 1001))[0] == 413
    assert (await asked(served, "PUT", "/odd/files/a", data=b"x" * 5000))[2] == "5000"


async def test_a_door_is_no_part_of_the_document_and_counts_by_its_templates(served):
    await asked(served, "GET", "/odd/v1/me")
    _, _, document = await asked(served, "GET", "/openapi.json")
    _, _, metrics = await asked(served, "GET", "/metrics")
    assert "/odd" not in document
    assert 'route="/odd/v1/{name}"' in metrics

"""Asking for a failed task to run again: what the body says, and what may be paid for twice."""

import io

import pytest

from genpulse.domain.attempt import Failed
from genpulse.domain.errors import UnknownOutcome
from genpulse_client import ApiRefused, AsyncGenPulse
from tests.integration.api.conftest import charging

LOST = UnknownOutcome("The answer got lost.").failure


@pytest.fixture
def catalogue_of(catalogue_of):
    """Of a provider that charges."""
    return charging(catalogue_of)


@pytest.fixture
def api(either):
    """Over each of the two stores."""
    return either


async def lost(api):
    """A failed task whose order nobody can ask about: the path to retry it, and the task."""
    await api.submit("art/print", kind="text-to-image")
    task = await api.end(Failed(LOST), ordered=True)
    return f"/v1/tasks/{task.id}/retry", task


async def test_what_may_still_run_at_the_vendor_is_named_before_it_is_ordered_again(api):
    path, task = await lost(api)
    problem = (await api.post(path)).problem(409, "may_be_charged")
    assert problem["title"] == "May be charged"
    assert f"ordered at {task.order.sent_at:%Y-%m-%d %H:%M:%S} UTC" in problem["detail"]
    assert task.order.reference in problem["detail"]
    assert "art's own list of jobs" in problem["detail"]
    assert '{"even_if_charged": true}' in problem["detail"]
    assert (await api.get(f"/v1/tasks/{task.id}")).json["status"] == "failed"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": b"", "headers": {"Content-Type": "application/json"}},
        {"json": {}},
        {"json": {"even_if_charged": False}},
    ],
    ids=["no body", "an empty body", "an empty object", "false"],
)
async def test_without_the_word_it_is_refused(api, options):
    path, _ = await lost(api)
    (await api.post(path, **options)).problem(409, "may_be_charged")


async def test_with_the_word_it_is_queued(api):
    path, task = await lost(api)
    answer = await api.post(path, json={"even_if_charged": True})
    assert (answer.status, answer.json["status"]) == (202, "queued")
    assert answer.headers["Location"] == f"{api.url}/v1/tasks/{task.id}"
    async with api.worker():
        assert (await api.ended(str(task.id)))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"even_if_charged": "true"}', "/even_if_charged"),
        (b'{"even_if_charged": 1}', "/even_if_charged"),
        (b'{"even_if_charged": null}', "/even_if_charged"),
        (b'{"even_if_charged": true, "force": true}', "/force"),
        (b"[]", ""),
        (b"null", ""),
        (b"true", ""),
    ],
)
async def test_a_body_that_says_anything_else_is_refused_with_its_place(api, body, pointer):
    path, task = await lost(api)
    problem = (await api.post(path, data=body, headers={"Content-Type": "application/json"})).problem(
        422, "invalid_input"
    )
    assert pointer in [place.get("pointer", "") for place in problem["errors"]]
    assert (await api.get(f"/v1/tasks/{task.id}")).json["status"] == "failed"


async def test_a_body_that_cannot_be_read_is_refused(api):
    path, _ = await lost(api)
    json = {"Content-Type": "application/json"}
    (await api.post(path, data=b"{", headers=json)).problem(400, "invalid_json")
    (await api.post(path, data=b"even_if_charged=true")).problem(415, "unsupported_media_type")
    (await api.post(path, data=io.BytesIO(b" " * (2 << 20)), headers=json)).problem(413, "content_too_large")


async def test_a_task_that_did_not_fail_is_no_question_of_money(api):
    task = (await api.submit()).json
    answer = await api.post(f"/v1/tasks/{task['id']}/retry", json={"even_if_charged": True})
    assert "queued" in answer.problem(409, "not_retryable")["detail"]


async def test_the_client_says_the_word(api):
    _, task = await lost(api)
    async with AsyncGenPulse(api.url) as client:
        with pytest.raises(ApiRefused) as refused:
            await client.retry(str(task.id))
        assert (refused.value.status, refused.value.code) == (409, "may_be_charged")
        assert (await client.retry(str(task.id), even_if_charged=True)).status == "queued"

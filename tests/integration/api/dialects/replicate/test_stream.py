"""Predictions as Server-Sent Events."""

import asyncio
from dataclasses import dataclass

import pytest

from genpulse.dialects.replicate.predictions.stream import EventId
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from tests.api_keys import added

API = "/replicate/v1"


@dataclass(frozen=True)
class Event:
    name: str
    data: str
    id: str


async def created(served, model="art/print", headers=None, **body):
    document = {"input": {"prompt": "a fox"}} | body
    return (await served.post(f"{API}/models/{model}/predictions", json=document, headers=headers)).json


async def events(served, address, **headers):
    answer = await served.call("GET", address.removeprefix(served.url), encoded=True, headers=headers)
    assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.body
    frames = [frame for frame in answer.body.decode().split("\n\n") if "event: " in frame]
    return [event_of(frame) for frame in frames]


def event_of(frame: str) -> Event:
    lines = [line.partition(": ") for line in frame.split("\n")]
    data = "\n".join(value for name, _, value in lines if name == "data")
    words = {name: value for name, _, value in lines}
    return Event(words["event"], data, words["id"])


async def test_it_tells_progress_and_each_output_and_ends(served):
    document = await created(served, "art/press", input={"prompt": "a", "num_outputs": 2})
    async with served.worker():
        found = await events(served, document["urls"]["stream"])
    ended = (await served.get(f"{API}/predictions/{document['id']}")).json
    assert [event.data for event in found if event.name == "output"] == ended["output"]
    assert (found[-1].name, found[-1].data) == ("done", "{}")
    ids = [EventId.read(event.id) for event in found]
    assert ids == sorted(set(ids))


async def test_progress_is_told_as_logs(served):
    document = await created(served, "art/easel")
    served.easel.allowed.clear()
    async with served.worker():
        watching = asyncio.create_task(events(served, document["urls"]["stream"]))
        await served.easel.half_way.wait()
        served.easel.allowed.set()
        found = await watching
    assert " 50%|█████     | 50/100" in [event.data for event in found if event.name == "logs"]


async def test_a_failure_is_an_error_and_then_done(served):
    served.easel.failures = 1
    document = await created(served, "art/easel")
    async with served.worker():
        found = await events(served, document["urls"]["stream"])
    assert [(event.name, event.data) for event in found[-2:]] == [
        ("error", "The easel fell over. (provider_rejected)"),
        ("done", '{"reason":"error"}'),
    ]


@pytest.mark.parametrize("late", [False, True])
async def test_what_was_canceled_or_too_late_is_done_without_an_error(served, late):
    document = await created(served)
    if late:
        failure = Failure(FailureCode.DEADLINE_EXCEEDED, "Too late.", False, Charged.NO, Actor.CALLER)
        await served.end(Failed(failure))
    else:
        await served.post(f"{API}/predictions/{document['id']}/cancel")
    found = await events(served, document["urls"]["stream"])
    assert [(event.name, event.data) for event in found] == [("done", '{"reason":"canceled"}')]


async def test_it_resumes_after_the_last_event_of_a_client(served):
    document = await created(served, "art/press", input={"prompt": "a", "num_outputs": 3})
    async with served.worker():
        found = await events(served, document["urls"]["stream"])
    for place, event in enumerate(found[:-1]):
        again = await events(served, document["urls"]["stream"], **{"Last-Event-ID": event.id})
        assert again[-1] == found[-1]
        outputs = [one for one in found[place + 1 :] if one.name == "output"]
        assert [one for one in again if one.name == "output"] == outputs
    last = await served.call(
        "GET",
        document["urls"]["stream"].removeprefix(served.url),
        encoded=True,
        headers={"Last-Event-ID": found[-1].id},
    )
    assert last.status == 204


@pytest.mark.parametrize("last", ["x", "1", "1:", ":1", "-1:0", "1:2:3"])
async def test_an_id_that_is_none_is_refused(served, last):
    document = await created(served)
    path = document["urls"]["stream"].removeprefix(served.url)
    answer = await served.call("GET", path, encoded=True, headers={"Last-Event-ID": last})
    assert (answer.status, answer.json["code"]) == (400, "invalid_last_event_id")


async def test_its_address_needs_no_key_and_no_other_prediction_has_it(served):
    _, headers = await added(served.services.keys)
    document, other = await created(served, headers=headers), await created(served, headers=headers)
    address = document["urls"]["stream"].removeprefix(served.url)
    async with served.worker():
        assert (await events(served, address))[-1].name == "done"
    plain = address.partition("?")[0]
    assert (await served.get(plain)).status == 401
    assert (await events(served, plain, **headers))[-1].name == "done"
    stolen = address.replace(document["id"], other["id"])
    assert (await served.call("GET", stolen, encoded=True)).status == 403
    assert (await served.call("GET", address.replace("expires=1", "expires=2"), encoded=True)).status == 403

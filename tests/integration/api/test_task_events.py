"""Watching a task."""

import asyncio
import json
from dataclasses import dataclass

from genpulse.api.options import ApiOptions


@dataclass
class Event:
    id: int
    name: str
    data: dict


async def events_in(response):
    """The events of a stream, and None for each comment."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith(":"):
            yield None
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


async def collect(api, task_id, headers=None):
    async with (
        asyncio.timeout(60),
        api.client.get(f"{api.url}/v1/tasks/{task_id}/events", headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        return response, [event async for event in events_in(response) if event]


async def test_a_stream_shows_the_task_its_progress_and_its_end(api):
    api.easel.allowed.clear()
    task = (await api.submit()).json
    async with (
        asyncio.timeout(60),
        api.client.get(f"{api.url}/v1/tasks/{task['id']}/events") as response,
    ):
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert "no-cache" in response.headers["Cache-Control"]
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in response.headers
        stream = events_in(response)
        first = await anext(stream)
        assert (first.name, first.data) == ("task", task)
        async with api.worker():
            seen = [first]
            async for event in stream:
                seen.append(event)
                if event.name == "progress":
                    api.easel.allowed.set()
    assert [event.name for event in seen if event.name != "task"] == ["progress", "done"]
    progress, done = seen[-2], seen[-1]
    assert progress.data == {"task_id": task["id"], "progress": 0.5, "message": "half of it"}
    assert done.data["status"] == "succeeded"
    assert done.data == (await api.get(f"/v1/tasks/{task['id']}")).json
    assert [event.id for event in seen] == sorted({event.id for event in seen})


async def test_a_stream_opened_after_the_end_delivers_done(api):
    async with api.worker():
        task = await api.ended((await api.submit()).json["id"])
    _, [event] = await collect(api, task["id"])
    assert (event.name, event.data) == ("done", task)


async def test_a_stream_resumes_after_the_last_event_and_ends_for_good(api):
    async with api.worker():
        task = await api.ended((await api.submit()).json["id"])
    _, [done] = await collect(api, task["id"], {"Last-Event-ID": "0"})
    assert done.name == "done"
    again = await api.get(f"/v1/tasks/{task['id']}/events", headers={"Last-Event-ID": str(done.id)})
    assert (again.status, again.body) == (204, b"")


async def test_a_resumed_stream_leaves_out_what_the_client_has(api):
    task = (await api.submit()).json
    path = f"{api.url}/v1/tasks/{task['id']}/events"
    async with asyncio.timeout(60), api.client.get(path) as response:
        first = await anext(events_in(response))
    watching = asyncio.create_task(collect(api, task["id"], {"Last-Event-ID": str(first.id)}))
    async with api.worker():
        _, events = await watching
    assert all(event.id > first.id for event in events)
    assert events[-1].name == "done"


async def test_a_last_event_id_that_was_never_given_is_refused(api):
    for word in ["", "x", "-1", "1.0", "9" * 19, "\u0661"]:
        task = (await api.submit()).json
        refused = await api.get(f"/v1/tasks/{task['id']}/events", headers={"Last-Event-ID": word})
        refused.problem(400, "invalid_last_event_id")


async def test_a_quiet_stream_is_kept_alive(serve):
    api = await serve(ApiOptions(keep_alive_s=0.05))
    task = (await api.submit()).json
    path = f"{api.url}/v1/tasks/{task['id']}/events"
    async with asyncio.timeout(60), api.client.get(path) as response:
        stream = events_in(response)
        assert (await anext(stream)).name == "task"
        assert await anext(stream) is None
        assert await anext(stream) is None


async def test_a_stream_ends_when_the_client_leaves(api):
    task = (await api.submit()).json
    path = f"{api.url}/v1/tasks/{task['id']}/events"
    async with asyncio.timeout(60):
        async with api.client.get(path) as response:
            await anext(events_in(response))
            assert "genpulse_watchers 1.0" in (await api.get("/metrics")).body.decode()
            response.close()
        while "genpulse_watchers 0.0" not in (await api.get("/metrics")).body.decode():
            await asyncio.sleep(0.01)


async def test_a_stream_ends_when_the_server_stops(api):
    task = (await api.submit()).json
    path = f"{api.url}/v1/tasks/{task['id']}/events"
    async with asyncio.timeout(60), api.client.get(path) as response:
        stream = events_in(response)
        await anext(stream)
        api.app.state.context.stopping.set()
        assert [event async for event in stream] == []


async def test_a_stream_breaks_off_while_the_database_is_away_and_can_be_resumed(serve):
    api = await serve(ApiOptions(keep_alive_s=0.05))
    task = (await api.submit()).json
    path = f"{api.url}/v1/tasks/{task['id']}/events"
    async with asyncio.timeout(60), api.client.get(path) as response:
        stream = events_in(response)
        first = await anext(stream)
        api.store.away = True
        assert [event async for event in stream if event] == []
    api.store.away = False
    await api.post(f"/v1/tasks/{task['id']}/cancel")
    _, [done] = await collect(api, task["id"], {"Last-Event-ID": str(first.id)})
    assert done.data["status"] == "canceled"


async def test_many_watch_one_task(api):
    task = (await api.submit()).json
    watching = [asyncio.create_task(collect(api, task["id"])) for _ in range(20)]
    async with api.worker():
        streams = await asyncio.gather(*watching)
    assert all(events[-1].name == "done" for _, events in streams)

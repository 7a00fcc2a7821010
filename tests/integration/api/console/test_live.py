"""Pages that keep themselves up to date."""

import asyncio
import json

import pytest

from genpulse.background.loops import Loops
from genpulse.console.live import SHORTEST_S, TOLD_AT_ONCE, LiveFragments
from genpulse.console.options import ConsoleOptions
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added
from tests.integration.api.console.browser import Browser


async def events(served, path, cookies=None):
    """What a page hears, one event after the other."""
    async with served.client.get(f"{served.url}{path}", cookies=cookies or {}) as answer:
        assert answer.status == 200
        name = ""
        async for line in answer.content:
            word, _, rest = line.decode().strip().partition(": ")
            if word == "event":
                name = rest
            elif word == "data":
                yield name, json.loads(rest)


async def heard(stream, test):
    async with asyncio.timeout(60):
        async for name, data in stream:
            if test(name, data):
                await stream.aclose()
                return data
    raise AssertionError("it ended")


@pytest.mark.parametrize(("path", "ids"), [("/console/live/now", "providers"), ("/console/live/tasks?", "rows")])
async def test_what_is_swapped_is_on_the_page(console, browser, path, ids):
    page = await browser.get(path.partition("?")[0].replace("/live/now", "").replace("/live", ""))
    told = await heard(events(console, path), lambda name, data: name == "fragment" and data["id"] == ids)
    assert ids in page.read.ids
    assert "<script" not in told["html"]
    assert f'data-live="{path}"' in page.html


async def test_a_new_task_comes_by_itself(console):
    stream = events(console, "/console/live/tasks?status=queued")
    await heard_first(stream)
    await console.submit(input={"prompt": "just now"})
    await heard(stream, lambda _, data: isinstance(data, dict) and "just now" in data["html"])


async def heard_first(stream):
    async with asyncio.timeout(60):
        return await anext(stream)


async def test_the_life_of_a_task_is_seen(console):
    console.easel.allowed.clear()
    task = (await console.submit()).json["id"]
    stream = events(console, f"/console/live/task/{task}")
    await heard_first(stream)
    async with console.worker():
        await until(stream, "state", "runs")
        console.easel.allowed.set()
        await until(stream, "state", "succeeded")
    await stream.aclose()


async def until(stream, part, words):
    async with asyncio.timeout(60):
        async for _, data in stream:
            if isinstance(data, dict) and data.get("id") == part and words in data["html"]:
                return


async def test_an_outage_is_told_and_over(console):
    stream = events(console, "/console/live/tasks?")
    await heard_first(stream)
    console.store.away = True
    async with asyncio.timeout(60):
        async for name, data in stream:
            if (name, data) == ("away", True):
                break
        console.store.away = False
        async for name, data in stream:
            if (name, data) == ("away", False):
                break
    await stream.aclose()


async def test_a_foreign_task_and_somebody_without_a_session_hear_nothing(console):
    _, mine = await added(console.services.keys)
    _, other = await added(console.services.keys)
    task = (await console.submit(headers=mine)).json["id"]
    assert (await console.get(f"/console/live/task/{task}", allow_redirects=False)).status == 303
    browser = Browser(console.url)
    await browser.post("/console/log-in", ("key", other["Authorization"].removeprefix("Bearer ")))
    assert (await browser.get(f"/console/live/task/{task}")).status == 404


class Watching:
    """Counts what was rendered."""

    def __init__(self, clock=None) -> None:
        self.live = LiveFragments(*([clock] if clock else []))
        self.loops = Loops()
        self.count = 0
        self.error: Exception | None = None

    async def render(self):
        if self.error:
            raise self.error
        self.count += 1
        return {"part": f"{self.count}", "same": "never differs"}

    def watch(self, view="view", kind="kind", every_s=0.0):
        return self.live.watch(self.loops, kind, view, self.render, every_s)


async def test_all_who_watch_the_same_share_what_is_rendered():
    watching = Watching()
    streams = [watching.watch(every_s=60.0) for _ in range(50)]
    seen = await asyncio.gather(*(anext(stream) for stream in streams))
    assert {update.fragments["part"] for update in seen} == {"1"}
    assert (watching.live.renders, watching.count) == (1, 1)
    for stream in streams:
        await stream.aclose()
    assert not watching.live._channels


async def test_all_who_watch_the_same_are_told_what_is_new():
    watching = Watching()
    streams = [watching.watch() for _ in range(50)]
    seen = await asyncio.gather(*(anext(stream) for stream in streams))
    again = await asyncio.gather(*(anext(stream) for stream in streams))
    for first, second in zip(seen, again, strict=True):
        assert int(second.fragments["part"]) > int(first.fragments["part"])
        assert set(second.fragments) == {"part"}
    assert watching.count < len(streams)
    for stream in streams:
        await stream.aclose()


async def test_what_all_are_told_is_written_once():
    watching = Watching()
    streams = [watching.watch(every_s=60.0) for _ in range(20)]
    seen = await asyncio.gather(*(anext(stream) for stream in streams))
    assert len({id(update.frame) for update in seen}) == 1
    assert b'"html": "1"' in seen[0].frame
    for stream in streams:
        await stream.aclose()


async def test_who_looks_for_long_while_nothing_changes_is_waited_for_once():
    watching = Watching()
    stream = watching.watch(every_s=60.0)
    await anext(stream)
    (channel,) = watching.live._channels.values()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await channel.change()
    assert not channel.waiting
    await stream.aclose()


async def test_many_who_watch_are_told_a_few_at_a_time():
    watching = Watching()
    streams = [watching.watch(every_s=60.0) for _ in range(5 * TOLD_AT_ONCE)]
    await asyncio.gather(*(anext(stream) for stream in streams))
    told = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0.01)
    (channel,) = watching.live._channels.values()
    channel.show({"part": "new"})
    counts = [0]
    while counts[-1] < len(told):
        await asyncio.sleep(0)
        counts.append(sum(one.done() for one in told))
    assert 0 < next(count for count in counts if count) <= TOLD_AT_ONCE
    assert {one.result().fragments["part"] for one in told} == {"new"}
    for stream in streams:
        await stream.aclose()


async def test_a_kind_is_rendered_four_times_a_second_at_most_whatever_is_watched():
    moments = []
    loop = asyncio.get_running_loop()
    watching = Watching(clock=lambda: moments.append(loop.time()) or moments[-1])
    streams = [watching.watch(view) for view in range(3)]
    began = loop.time()
    await asyncio.gather(*(anext(stream) for stream in streams))
    took = loop.time() - began
    assert took >= 2 * SHORTEST_S - 0.01
    for stream in streams:
        await stream.aclose()


async def test_who_comes_later_gets_what_is_there():
    watching = Watching()
    first = watching.watch(every_s=60.0)
    await anext(first)
    second = watching.watch(every_s=60.0)
    assert dict((await anext(second)).fragments) == {"part": "1", "same": "never differs"}
    await first.aclose()
    await second.aclose()


async def test_a_render_that_fails_is_told_and_tried_again():
    watching = Watching()
    stream = watching.watch()
    await anext(stream)
    for error in (DatabaseUnavailable("away"), ValueError("a mistake")):
        watching.error = error
        while not (await anext(stream)).is_away:
            pass
        watching.error = None
        while (await anext(stream)).is_away:
            pass
    await stream.aclose()
    assert "rendering kind" in watching.loops.failures


async def test_a_browser_whose_session_is_over_is_told_to_leave(served_console):
    served = await served_console(ConsoleOptions(look_again_s=0.0))
    key, headers = await added(served.services.keys, scopes=frozenset({Scope.ADMIN}))
    browser = Browser(served.url)
    await browser.post("/console/log-in", ("key", headers["Authorization"].removeprefix("Bearer ")))
    stream = events(served, "/console/live/tasks?", cookies=browser.cookies)
    await heard_first(stream)
    await served.services.keys.revoke(str(key.id), served.services.now())
    _, other = await added(served.services.keys)
    await served.submit(headers=other)
    async with asyncio.timeout(60):
        names = [name async for name, _ in stream]
    assert names[-1] == "leave"

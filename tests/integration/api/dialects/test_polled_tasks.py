"""Where tasks stand, from memory."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from starlette.requests import Request

from genpulse.api.context import CALLER
from genpulse.dialects import polled_tasks
from genpulse.dialects.polled_tasks import PolledTasks
from genpulse.domain.errors import UnknownTask
from genpulse.domain.event import TaskEvent
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.task import TaskStatus
from tests.api_keys import added, new_key


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self):
        return self.now


class Counted:
    """A store that counts how often rows are read."""

    def __init__(self, store):
        self._store = store
        self.reads = self.queries = 0

    async def get(self, task_id):
        self.reads += 1
        return await self._store.get(task_id)

    async def find(self, query):
        self.reads += len(query.filter.ids)
        self.queries += 1
        return await self._store.find(query)

    def __getattr__(self, name):
        return getattr(self._store, name)


class Poll:
    """Asks where a task stands."""

    def __init__(self, api, clock):
        self.api = api
        self.clock = clock
        self.polled = PolledTasks(clock)

    async def __call__(self, task_id, caller=WITHOUT_KEY):
        scope = {"type": "http", "app": self.api.app, "headers": [], CALLER: caller}
        return await self.polled.standing(Request(scope), UUID(str(task_id)))

    async def settled(self):
        """What is read behind the backs of those who ask is there."""
        if (refreshing := self.polled._refreshing) is not None:
            await refreshing

    @property
    def reads(self):
        return self.api.services.store.reads


@pytest.fixture
async def poll(serve):
    api = await serve()
    context = api.app.state.context
    counted = Counted(api.services.store)
    services = replace(api.services, store=counted)
    api.app.state.context = replace(context, services=services)
    api.services = services
    yield Poll(api, Clock())
    api.app.state.context = context


async def test_the_row_is_read_once_a_second(poll):
    task = (await poll.api.submit()).json
    for _ in range(50):
        await poll(task["id"])
    assert poll.reads == 1
    for second in range(1, 11):
        for tenth in range(10):
            poll.clock.now = 100.0 + second + tenth / 10
            await poll(task["id"])
            await poll.settled()
    assert poll.reads == 11


async def test_many_who_ask_at_once_wait_for_one_read(poll):
    task = (await poll.api.submit()).json
    standings = await asyncio.gather(*(poll(task["id"]) for _ in range(20)))
    assert (poll.reads, {each.status for each in standings}) == (1, {TaskStatus.QUEUED})


async def test_a_change_is_seen_at_once(poll):
    task = (await poll.api.submit()).json
    assert (await poll(task["id"])).status is TaskStatus.QUEUED
    await poll.api.post(f"/v1/tasks/{task['id']}/cancel")
    poll.api.services.events.publish(TaskEvent(UUID(task["id"]), 1))
    assert (await poll(task["id"])).status is TaskStatus.CANCELED


async def test_a_change_of_which_no_event_came_is_seen_within_a_second(poll):
    task = (await poll.api.submit()).json
    assert (await poll(task["id"])).status is TaskStatus.QUEUED
    await poll.api.store.cancel(UUID(task["id"]))
    assert (await poll(task["id"])).status is TaskStatus.QUEUED
    poll.clock.now += 1
    assert (await poll(task["id"])).status is TaskStatus.QUEUED  # nobody waits
    await poll.settled()
    assert (await poll(task["id"])).status is TaskStatus.CANCELED


async def test_who_asks_rarely_is_told_nothing_old(poll):
    task = (await poll.api.submit()).json
    await poll(task["id"])
    await poll.api.store.cancel(UUID(task["id"]))
    poll.clock.now += polled_tasks.LOOK_AGAIN_S + polled_tasks.LATE_S
    assert (await poll(task["id"])).status is TaskStatus.CANCELED


async def test_rows_that_are_due_together_are_read_together(poll):
    ids = [(await poll.api.submit(input={"prompt": str(number)})).json["id"] for number in range(20)]
    await asyncio.gather(*(poll(task_id) for task_id in ids))
    assert (poll.reads, poll.api.services.store.queries) == (20, 0)
    await poll.api.store.cancel(UUID(ids[7]))
    poll.clock.now += 1
    await asyncio.gather(*(poll(task_id) for task_id in ids))
    await poll.settled()
    assert (poll.reads, poll.api.services.store.queries) == (40, 1)
    standings = await asyncio.gather(*(poll(task_id) for task_id in ids))
    assert [number for number, each in enumerate(standings) if each.status.ended] == [7]


async def test_a_deleted_task_is_gone_at_once(poll):
    task = (await poll.api.submit()).json
    await poll(task["id"])
    await poll.api.call("DELETE", f"/v1/tasks/{task['id']}")
    with pytest.raises(UnknownTask):
        await poll(task["id"])


async def test_one_that_goes_without_a_word_is_forgotten(poll):
    task = (await poll.api.submit()).json
    await poll(task["id"])
    await poll.api.services.deletions.delete_tasks([UUID(task["id"])], owner=None, deleted_by="")
    poll.clock.now += 1
    await poll(task["id"])
    await poll.settled()
    with pytest.raises(UnknownTask):
        await poll(task["id"])


async def test_progress_is_told_without_a_read(poll):
    task = (await poll.api.submit()).json
    await poll(task["id"])
    for seq in range(1, 20):
        poll.api.services.events.publish(TaskEvent(UUID(task["id"]), seq, seq / 20, f"step {seq}"))
        standing = await poll(task["id"])
        assert (standing.progress, standing.lines[-1].message) == (seq / 20, f"step {seq}")
    assert poll.reads == 1


async def test_however_many_changes_come_it_is_read_no_more_often_than_once_a_second(poll):
    task = (await poll.api.submit()).json
    for moment in range(200):
        poll.clock.now = 100 + moment / 10
        poll.api.services.events.publish(TaskEvent(UUID(task["id"]), moment))
        await poll(task["id"])
        await poll.settled()
    assert poll.reads <= 20 + polled_tasks.READS_AHEAD


async def test_a_task_of_another_key_stays_unknown(poll):
    key, headers = await added(poll.api.services.keys)
    task = (await poll.api.submit(headers=headers)).json
    assert (await poll(task["id"], Caller(key))).owner == str(key.id)
    with pytest.raises(UnknownTask):
        await poll(task["id"], Caller(new_key()))


async def test_those_that_nobody_asks_for_are_forgotten_and_no_longer_listened_to(poll, monkeypatch):
    monkeypatch.setattr(polled_tasks, "MOST_KEPT", 3)
    ids = [(await poll.api.submit(input={"prompt": str(number)})).json["id"] for number in range(6)]
    for task_id in ids:
        await poll(task_id)
    watchers = poll.api.services.events._watchers
    assert set(watchers) == {UUID(task_id) for task_id in ids[-3:]}
    poll.clock.now += polled_tasks.FORGOTTEN_S
    await poll(ids[0])
    assert set(watchers) == {UUID(ids[0])}


async def test_an_unknown_task_is_not_kept(poll):
    for _ in range(3):
        with pytest.raises(UnknownTask):
            await poll("0198c4a5-1111-7000-8000-000000000000")
    assert poll.api.services.events._watchers == {}

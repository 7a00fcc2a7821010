"""The client, where it reads a list."""

from genpulse.client import GenPulse


async def test_tasks_come_in_pages_newest_first(api):
    ids = [(await api.submit()).json["id"] for _ in range(205)]
    async with GenPulse(api.url) as client:
        assert [task.id async for task in client.each_task()] == ids[::-1]
        assert [task.id async for task in client.each_task(limit=101)] == ids[:-102:-1]
        assert [task.id for task in await client.tasks()] == ids[:-21:-1]
        assert [task.id async for task in client.each_task(limit=0)] == []


async def test_tasks_are_filtered(api):
    api.easel.failures = 1
    async with api.worker():
        failed = (await api.submit()).json["id"]
        await api.ended(failed)
    await api.submit()
    async with GenPulse(api.url) as client:
        assert [task.id for task in await client.tasks(code="provider_rejected")] == [failed]
        assert [task.id for task in await client.tasks(status="failed", code=None)] == [failed]
        assert await client.tasks(code="timeout") == ()

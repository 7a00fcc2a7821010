"""The client, where it reads a list."""

import pytest

from genpulse.client import ApiRefused, GenPulse, NoId


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


@pytest.mark.parametrize("name", ["status", "kind", "provider", "code"])
async def test_an_empty_filter_is_no_missing_one(api, name):
    await api.submit()
    async with GenPulse(api.url) as client:
        with pytest.raises(ApiRefused, match=f"^The query does not fit: {name}: [^\n]*$"):
            await client.tasks(**{name: ""})


@pytest.mark.parametrize("word", ["x?limit=1", "x#y", "100%", "%2e%2e", "a b", "ä"])
async def test_what_is_no_id_is_a_name_all_the_same_and_leads_nowhere_else(api, word):
    async with GenPulse(api.url) as client:
        for call in (client.task, client.cancel, client.retry, client.model):
            with pytest.raises(ApiRefused) as refused:
                await call(word)
            assert refused.value.status == 404
            assert f"{word!r}" in str(refused.value)


@pytest.mark.parametrize("word", ["", ".", "..", "../models", "a/../b", "a/"])
async def test_a_name_that_would_be_a_step_of_a_path_is_asked_of_nobody(api, word):
    async with GenPulse(api.url) as client:
        for call in (client.task, client.cancel, client.retry, client.model):
            with pytest.raises(NoId, match="is no id"):
                await call(word)

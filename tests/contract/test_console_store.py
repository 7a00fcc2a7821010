"""Who is logged in to the console, and what was done there."""

from datetime import UTC, datetime, timedelta

import pytest
import uuid_utils.compat

from genpulse.adapters.database.console import PostgresConsole
from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.memory.console import MemoryConsole
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.console import SESSION_LASTS, ConsoleAction
from tests.api_keys import new_key

EARLY = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def console(backend):
    return MemoryConsole() if isinstance(backend.store, MemoryTaskStore) else PostgresConsole(backend.store._pool)


@pytest.fixture
async def key(backend):
    key = new_key()
    if not isinstance(backend.store, MemoryTaskStore):
        await PostgresKeys(backend.store._pool).add(key, b"digest")
    return key


def action(owner="", **changes):
    values = {"action": "task.cancel", "subject": "a task", "key_name": "shop", "address": "192.0.2.1"}
    return ConsoleAction(id=uuid_utils.compat.uuid7(), owner=owner, at=EARLY, **{**values, **changes})


async def test_a_session_is_found_until_it_is_closed(console, key):
    opened = await console.open_session(b"one", key.id)
    assert (opened.key_id, opened.expires_at - opened.created_at) == (key.id, SESSION_LASTS)
    assert await console.session(b"one") == opened
    assert await console.session(b"two") is None
    await console.close_session(b"one")
    await console.close_session(b"one")
    assert await console.session(b"one") is None


async def test_a_session_that_has_run_out_is_none_and_forgotten(console, key):
    await console.open_session(b"old", key.id, timedelta(seconds=-1))
    assert await console.session(b"old") is None
    await console.open_session(b"new", key.id)
    await console.open_session(b"old", key.id)
    assert await console.session(b"old") is not None


async def test_actions_come_newest_first_a_page_at_a_time_and_by_owner(console):
    first, second, third = action("a"), action("b"), action("a", subject="\0 odd\n" + "x" * 900)
    for one in (first, second, third):
        await console.note(one)
    await console.settle(second.id, "done")
    await console.settle(uuid_utils.compat.uuid7(), "done")
    shown = await console.actions()
    assert [one.id for one in shown] == [third.id, second.id, first.id]
    assert [one.outcome for one in shown] == ["", "done", ""]
    assert all(one.at > EARLY for one in shown)
    assert len(shown[0].subject) == 500
    assert [one.id for one in await console.actions(owner="a")] == [third.id, first.id]
    assert [one.id for one in await console.actions(owner="a", before=third.id)] == [first.id]
    assert [one.id for one in await console.actions(limit=1)] == [third.id]

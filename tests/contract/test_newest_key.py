"""Finding the last of the idempotency keys that begin alike."""

from tests.contract.conftest import new_task


async def test_the_last_key_between_two_of_one_owner(backend):
    keys = ("door-ab-0190000001ff", "door-ab-019000000200", "door-ac-019000000300")
    for key in keys:
        await backend.store.submit(new_task(idempotency_key=key, owner="o"))
    await backend.store.submit(new_task(idempotency_key="door-ab-019000000900", owner="another"))
    newest = backend.store.newest_key
    assert await newest("o", "door-ab-0190000001f0", "door-ab-g") == keys[1]
    assert await newest("o", "door-ab-0190000001f0", keys[1]) == keys[0]
    assert await newest("o", "door-ab-019000000201", "door-ab-g") is None
    assert await newest("nobody", "door-ab-", "door-ab-g") is None

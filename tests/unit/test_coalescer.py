"""Writing together what arrives together."""

import asyncio

import pytest

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.domain.errors import DatabaseUnavailable


class Batches(list):
    """Takes batches and answers each item with its double; the words of `bad` items are refused."""

    def __init__(self, bad=(), error=ValueError):
        self._bad = set(bad)
        self._error = error

    async def __call__(self, items):
        self.append(list(items))
        await asyncio.sleep(0.01)
        if self._bad & set(items):
            raise self._error(f"cannot write {sorted(self._bad & set(items))}")
        return [item * 2 for item in items]


async def test_everybody_gets_the_own_answer():
    batches = Batches()
    assert await asyncio.gather(*map(Coalescer(batches), range(100))) == [2 * n for n in range(100)]
    assert len(batches) < 5


async def test_a_batch_has_a_largest_size():
    batches = Batches()
    await asyncio.gather(*map(Coalescer(batches, largest=10), range(35)))
    assert [len(batch) for batch in batches] == [10, 10, 10, 5]


async def test_one_after_the_other_never_waits():
    coalescer = Coalescer(Batches())
    async with asyncio.timeout(60):
        assert [await coalescer(n) for n in range(20)] == [2 * n for n in range(20)]


async def test_a_service_that_is_away_is_away_for_everybody():
    batches = Batches({3}, DatabaseUnavailable)
    answers = await asyncio.gather(*map(Coalescer(batches), range(5)), return_exceptions=True)
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    assert len(batches) == 1


async def test_an_error_that_may_be_one_items_is_its_own_alone():
    coalescer = Coalescer(Batches({3}))
    answers = await asyncio.gather(*map(coalescer, range(5)), return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == ["int", "int", "int", "ValueError", "int"]
    assert await coalescer(9) == 18


async def test_an_exception_in_the_answers_is_raised_for_its_item():
    async def act(items):
        return [KeyError(item) if item == 1 else item for item in items]

    answers = await asyncio.gather(*map(Coalescer(act), range(3)), return_exceptions=True)
    assert answers[0::2] == [0, 2]
    with pytest.raises(KeyError):
        raise answers[1]


async def test_closing_waits_for_what_is_on_its_way():
    coalescer = Coalescer(Batches())
    waiting = asyncio.create_task(coalescer(1))
    await asyncio.sleep(0)
    await coalescer.close()
    assert waiting.done() or await waiting == 2


async def test_what_nobody_waits_for_any_more_is_not_begun():
    batches = Batches()
    coalescer = Coalescer(batches)
    callers = [asyncio.create_task(coalescer(number)) for number in range(4)]
    while not batches:
        await asyncio.sleep(0)
    late = [asyncio.create_task(coalescer(number)) for number in range(4, 8)]
    await asyncio.sleep(0)
    for caller in (callers[1], late[0], late[2]):
        caller.cancel()
    answers = await asyncio.gather(*callers, *late, return_exceptions=True)
    assert batches == [[0, 1, 2, 3], [5, 7]]
    assert [answer for answer in answers if not isinstance(answer, asyncio.CancelledError)] == [0, 4, 6, 10, 14]

"""Looking through a bounded number of tasks, in PostgreSQL and in memory alike."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, pairwise
from uuid import UUID

import pytest

from genpulse.adapters.database.tasks import looks
from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import new_task

LAST_ID = UUID(int=(1 << 128) - 1)
AWAY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "away", True, Charged.NO, Actor.NOBODY)
SAID = (
    *("A red Fox at dawn", "a grey wolf, 8k", "a FOX-like wolf", "ein KÄFER", "一只红色的狐狸"),
    *("\u0130stanbul at 273 \u212a", "an\nox\x1bfox\x01wolf\tbox", 'k8 éfox fox2 2fox "ox" 狐fox'),
)
TEXTS = (
    *("fox", "FOX dawn", "wolf", "käf", "8k", "狐", "istanbul", "i\u0307stanbul", "k", "\u212a", "ox", "heron"),
    *("--", "fo", "grey fox", "%", "_", "273"),
)
EACH = (
    *(TaskFilter(statuses=(status,)) for status in TaskStatus),
    TaskFilter(statuses=(TaskStatus.QUEUED, TaskStatus.FAILED)),
    TaskFilter(providers=("art",)),
    TaskFilter(providers=("box", "art", "none")),
    TaskFilter(models=("art/0",)),
    TaskFilter(models=("box/1", "art/0", "art/1")),
    TaskFilter(owners=("k1",)),
    TaskFilter(owners=("",)),
    TaskFilter(owners=("k1", "")),
    TaskFilter(kinds=("noop",)),
    TaskFilter(codes=(FailureCode.PROVIDER_UNAVAILABLE,)),
    TaskFilter(codes=(FailureCode.PROVIDER_UNAVAILABLE, FailureCode.TIMEOUT)),
    TaskFilter(metadata=(("customer", ("acme",)),)),
    TaskFilter(metadata=(("customer", ("acme", "beta")), ("n", ("0",)))),
    TaskFilter(metadata=(("customer", ("none",)),)),
    *(TaskFilter(texts=(text,)) for text in TEXTS),
    TaskFilter(texts=("fox", "heron", "käfer")),
)


@pytest.fixture
async def tasks(backend):
    """Sixty tasks that differ in everything, some of which have ended."""
    chance = random.Random(22)
    made = []
    for number in range(60):
        provider = chance.choice(("art", "box"))
        new = new_task(
            provider=provider,
            model=f"{provider}/{chance.randrange(3)}",
            owner=chance.choice(("", "k1", "k2")),
            input={"prompt": chance.choice(SAID), "n": number},
            metadata=chance.choice(({}, {"customer": "acme", "n": str(number % 2)}, {"customer": "beta"})),
        )
        made.append((await backend.store.submit(new)).task)
    begun = await backend.claim("art", "box", at_most=40)
    for number, claim in enumerate(begun[:36]):
        await backend.end(claim.lease, Failed(AWAY) if number % 3 == 0 else Succeeded(()))
    for claim in begun[36:38]:
        await backend.store.cancel(claim.task.id)
    for task in made[-4:]:
        await backend.store.cancel(task.id)
    return made


def of_both(one, other):
    """What fits both, where they ask for different fields; else None."""
    names = TaskFilter.__slots__
    told = [{name: value for name in names if (value := getattr(each, name))} for each in (one, other)]
    return None if told[0].keys() & told[1].keys() else TaskFilter(**told[0], **told[1])


async def walked(store, wanted, limit, at_most):
    """All pages, each from where the last one ended."""
    pages, before = [], None
    while True:
        page = await store.look(TaskQuery(limit, before, wanted), at_most)
        assert len(page.matches) <= limit
        assert page.back_to is None or before is None or page.back_to < before
        assert page.back_to is None or all(task.id >= page.back_to for task in page.matches)
        pages.append(page)
        if page.back_to is None:
            return [task for page in pages for task in page.matches]
        before = page.back_to


async def counted(store, wanted, at_most):
    """How many fit, each part counted from where the last one ended."""
    total, before = 0, None
    while True:
        part = await store.count(TaskQuery(before=before, filter=wanted), at_most)
        total += sum(group.count for group in part.matches)
        assert part.back_to is None or before is None or part.back_to < before
        if part.back_to is None:
            return total
        before = part.back_to


async def checked(store, wanted, chance):
    whole = [task.id for task in await store.find(TaskQuery(100, filter=wanted))]
    assert all(newer > older for newer, older in pairwise(whole))
    limit, at_most = chance.choice((1, 3, 50)), chance.choice((1, 2, 7, 40, 1000))
    assert [task.id for task in await walked(store, wanted, limit, at_most)] == whole, (wanted, limit, at_most)
    at_most = chance.choice((3, 20, 1000))
    assert await counted(store, wanted, at_most) == len(whole), (wanted, at_most)


@pytest.fixture(params=[3, 10_000], ids=["common", "rare"])
def sampled(request, monkeypatch):
    """What is found so often in a sample is taken for common."""
    monkeypatch.setattr(looks, "OFTEN", request.param)
    monkeypatch.setattr(looks, "FEW", 5)


@pytest.mark.usefixtures("sampled")
async def test_pages_one_after_the_other_are_all_that_fits(backend, tasks):
    chance = random.Random(7)
    for wanted in EACH:
        await checked(backend.store, wanted, chance)


@pytest.mark.usefixtures("sampled")
@pytest.mark.parametrize("offset", [0, 1, *(pytest.param(one, marks=pytest.mark.slow) for one in (2, 3))])
async def test_two_filters_together_skip_and_repeat_nothing(backend, tasks, offset):
    chance = random.Random(offset)
    pairs = [both for one in EACH for other in EACH if (both := of_both(one, other))]
    for wanted in chance.sample(pairs, 40):
        await checked(backend.store, wanted, chance)


@pytest.mark.usefixtures("sampled")
@pytest.mark.parametrize("text", ["fox", "wolf", "k\u00e4f"])
async def test_words_among_some_that_ended_and_some_that_did_not_are_those_of_these_states(backend, tasks, text):
    chance = random.Random(11)
    for states in combinations(TaskStatus, 2):
        for _ in range(3):
            await checked(backend.store, TaskFilter(statuses=states, texts=(text,)), chance)


async def test_moments_and_ids_are_kept_to(backend, tasks):
    chance = random.Random(3)
    at = tasks[30].created_at
    for wanted in (
        TaskFilter(created_after=at),
        TaskFilter(created_before=at, texts=("fox",)),
        TaskFilter(created_after=at, created_before=at + timedelta(seconds=1), providers=("art",)),
        TaskFilter(ids=tuple(task.id for task in tasks[::7])),
        TaskFilter(ids=tuple(task.id for task in tasks[::7]), providers=("art",), texts=("fox", "wolf")),
        TaskFilter(id_range=(tasks[10].id, tasks[50].id), owners=("k1",), statuses=(TaskStatus.FAILED,)),
    ):
        await checked(backend.store, wanted, chance)


async def test_a_look_that_finds_nothing_says_how_far_it_went(backend, tasks):
    await backend.store.submit(new_task(provider="art", metadata={"customer": "acme"}))
    page = await backend.store.look(TaskQuery(50, filter=TaskFilter(kinds=("noop",), models=("art/9",))), 10)
    assert not page.matches
    assert page.back_to in {None, tasks[-9].id}


@pytest.mark.usefixtures("sampled")
async def test_what_was_counted_is_what_is_found_down_to_there(backend, tasks):
    for wanted in EACH:
        part = await backend.store.count(TaskQuery(filter=wanted), 7)
        meant = replace(wanted, id_range=(part.back_to, LAST_ID)) if part.back_to else wanted
        found = await walked(backend.store, meant, 3, 7)
        assert len(found) == sum(group.count for group in part.matches), wanted


async def test_groups_are_those_of_what_was_looked_through(backend, tasks):
    wanted = TaskFilter(statuses=(TaskStatus.FAILED,))
    part = await backend.store.count(TaskQuery(filter=wanted), 1000)
    assert part.back_to is None
    assert set(part.matches) == set(await backend.store.groups(wanted))

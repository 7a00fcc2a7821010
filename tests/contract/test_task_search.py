"""Finding tasks by every filter, in PostgreSQL and in memory alike."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import new_task

REJECTED = Failure(FailureCode.PROVIDER_REJECTED, "no", False, Charged.NO, Actor.CALLER)
FOX = {"prompt": "A red Fox at dawn, red/green stripes", "size": 3}
WOLF = {"prompt": "a grey wolf", "style": {"tags": ["oil-paint", "8k"]}}
OTHER = {"prompt": "Ein Käfer — 一只红色的狐狸", "image": "data:image/png;base64,fox"}


@pytest.fixture
async def tasks(backend):
    """Three tasks that differ in everything."""
    made = [
        new_task(kind="a", provider="art", model="art/oil", input=FOX, metadata={"customer": "acme", "n": "1"}),
        new_task(kind="b", provider="box", model="box/ink", input=WOLF, metadata={"customer": "beta"}, owner="k1"),
        new_task(
            kind="c", provider="art", model="art/ink", input=OTHER, metadata={"Customer": "acme"}, owner="k2"
        ),
    ]
    return [(await backend.store.submit(task)).task for task in made]


@pytest.fixture
def found(backend, tasks):
    """Which of the three a filter finds, by their numbers, newest first."""

    async def find(**wanted):
        page = await backend.store.find(TaskQuery(filter=TaskFilter(**wanted)))
        return [[task.id for task in tasks].index(task.id) for task in page]

    return find


async def test_every_field_finds_what_has_one_of_its_values(found):
    assert await found() == [2, 1, 0]
    assert await found(kinds=("a",)) == [0]
    assert await found(kinds=("a", "c", "a")) == [2, 0]
    assert await found(providers=("art",)) == [2, 0]
    assert await found(providers=("box", "art")) == [2, 1, 0]
    assert await found(models=("art/ink", "box/ink", "none/such")) == [2, 1]
    assert await found(owners=("k1",)) == [1]
    assert await found(owners=("k1", "k2")) == [2, 1]
    assert await found(owners=("",)) == [0]
    assert await found(statuses=(TaskStatus.QUEUED, TaskStatus.FAILED)) == [2, 1, 0]
    assert await found(statuses=(TaskStatus.SUCCEEDED,)) == []


async def test_fields_are_asked_for_together(found):
    assert await found(kinds=("a", "b"), providers=("art",)) == [0]
    assert await found(models=("art/ink",), owners=("k2",), metadata=(("Customer", ("acme",)),)) == [2]
    assert await found(models=("art/ink",), owners=("k1",)) == []
    assert await found(texts=("fox",), statuses=(TaskStatus.QUEUED,), kinds=("a",)) == [0]


async def test_metadata_fits_exactly(found):
    assert await found(metadata=(("customer", ("acme",)),)) == [0]
    assert await found(metadata=(("customer", ("beta", "acme")),)) == [1, 0]
    assert await found(metadata=(("customer", ("acme",)), ("n", ("1",)))) == [0]
    assert await found(metadata=(("customer", ("acme",)), ("n", ("2",)))) == []
    assert await found(metadata=(("customer", ("Acme",)),)) == []
    assert await found(metadata=(("customer", ("acm",)),)) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("fox", [0]),
        ("FOX dawn", [0]),
        ("dawn red", [0]),
        ("green", [0]),
        ("str", [0]),
        ("st", []),
        ("ripes", []),
        ("fox wolf", []),
        ("8k", [1]),
        ("oil-paint", [1]),
        ("paint", [1]),
        ("käfer", [2]),
        ("KÄF", [2]),
        ("狐狸", [2]),
        ("狐", [2]),
        ("prompt", []),
        ("base64", []),
        ("--", []),
        ("it's \\ 'x' & | ! ( :*", []),
        ("a", [1, 0]),
    ],
)
async def test_words_of_the_input(found, text, numbers):
    assert await found(texts=(text,)) == numbers


async def test_one_of_several_texts_is_enough(found):
    assert await found(texts=("fox", "wolf")) == [1, 0]


async def test_words_beyond_what_is_looked_at_do_no_harm(backend):
    long = {"texts": ["word" * 400_000, *(f"tail{n} " * 500 for n in range(40))], "nothing": None}
    task = (await backend.store.submit(new_task(input=long))).task
    (found,) = await backend.store.find(TaskQuery(filter=TaskFilter(texts=("tail1",))))
    assert found.id == task.id


async def test_ids(found, tasks):
    ids = tuple(task.id for task in tasks)
    assert await found(ids=(ids[2], uuid4(), ids[0], ids[0])) == [2, 0]
    assert await found(ids=ids, providers=("art",), owners=("k2",)) == [2]
    assert await found(ids=(uuid4(),)) == []
    assert await found(id_range=(ids[0], ids[1])) == [1, 0]
    assert await found(id_range=(ids[0], ids[1]), providers=("art",)) == [0]


async def test_moments(found, tasks):
    first, second, third = (task.created_at for task in tasks)
    assert await found(created_after=first) == [2, 1, 0]
    assert await found(created_after=second) == [2, 1]
    assert await found(created_before=third) == [1, 0]
    assert await found(created_after=second, created_before=third) == [1]
    assert await found(created_after=third + timedelta(seconds=1)) == []
    assert await found(created_before=first, kinds=("a",), owners=("",)) == []


async def test_a_clock_that_is_minutes_off_hides_no_task(backend):
    far = replace(new_task(), id=new_task().id)
    early = replace(far, id=type(far.id)(int=far.id.int - (9 * 60_000 << 80)))
    task = (await backend.store.submit(early)).task
    wanted = TaskFilter(created_after=task.created_at, created_before=task.created_at + timedelta(seconds=1))
    assert [each.id for each in await backend.store.find(TaskQuery(filter=wanted))] == [task.id]


async def test_codes(backend, tasks, found):
    begun = await backend.claim("art", "box", at_most=3)
    await backend.end(begun[0].lease, Failed(REJECTED))
    failed = [task.id for task in tasks].index(begun[0].task.id)
    assert await found(codes=(FailureCode.PROVIDER_REJECTED,)) == [failed]
    assert await found(codes=(FailureCode.PROVIDER_REJECTED, FailureCode.TIMEOUT)) == [failed]
    assert await found(codes=(FailureCode.PROVIDER_REJECTED,), statuses=(TaskStatus.FAILED,)) == [failed]
    assert await found(codes=(FailureCode.PROVIDER_REJECTED,), statuses=(TaskStatus.QUEUED,)) == []
    assert await found(codes=(FailureCode.TIMEOUT,)) == []
    assert await found(statuses=(TaskStatus.FAILED, TaskStatus.QUEUED)) == [failed]


@pytest.mark.parametrize(
    "wanted",
    [
        TaskFilter(providers=("art", "box")),
        TaskFilter(statuses=(TaskStatus.QUEUED, TaskStatus.RUNNING)),
        TaskFilter(texts=("fox",)),
        TaskFilter(metadata=(("customer", ("acme",)),), providers=("art",)),
        TaskFilter(owners=("k",), models=("art/oil", "box/oil")),
    ],
)
async def test_pages_follow_each_other(backend, wanted):
    for number in range(7):
        provider = ("art", "box")[number % 2]
        fits = {"metadata": {"customer": "acme"}, "input": FOX, "owner": "k", "model": f"{provider}/oil"}
        await backend.store.submit(new_task(provider=provider, **fits))
    whole = [task.id for task in await backend.store.find(TaskQuery(100, filter=wanted))]
    assert whole == sorted(whole, reverse=True)
    assert len(whole) in {4, 7}
    seen, before = [], None
    while page := await backend.store.find(TaskQuery(2, before, wanted)):
        seen += [task.id for task in page]
        before = seen[-1]
    assert seen == whole
    assert all(newer > older for newer, older in pairwise(seen))

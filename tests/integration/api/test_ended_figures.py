"""Counters of what has ended, at a running API."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from genpulse.adapters.memory.ended_work import MemoryEndedWork
from genpulse.api.metrics import ended_work
from genpulse.api.metrics.ended_work import EndedWorkFigures
from genpulse.api.metrics.metrics import COUNTING
from genpulse.api.metrics.model_labels import ModelLabels
from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.errors import ProviderRejected
from genpulse.domain.search.ended_work import EndedWithin
from tests.integration.api.test_metrics import samples

NO = Failed(ProviderRejected("no").failure)
MODEL = {"model": "art/easel", "provider": "art"}


def named(name, **labels):
    return name, *sorted({**MODEL, **labels}.items())


FAILED = named("genpulse_tasks_ended_total", status="failed", code="provider_rejected")


async def once_counted(api, count, figure=FAILED):
    """The figures, once the last end is among them: a moment is counted when it is over."""
    while (figures := await samples(api)).get(figure, 0) < count:
        await asyncio.sleep(0.01)
    return figures


async def test_what_ended_is_counted_with_how_long_it_took(either):
    for _ in range(3):
        await either.submit(webhook_url="https://example.com/hook")
        await either.end(NO)
    await either.submit()
    figures = await once_counted(either, 3)
    assert figures[FAILED] == 3
    assert figures[named("genpulse_attempts_ended_total", outcome="failed", code="provider_rejected")] == 3
    for name, labels in (
        ("genpulse_task_waiting_seconds", {}),
        ("genpulse_task_running_seconds", {"status": "failed"}),
    ):
        assert figures[named(f"{name}_count", **labels)] == 3
        assert figures[named(f"{name}_bucket", le="+Inf", **labels)] == 3
        assert 0 <= figures[named(f"{name}_sum", **labels)] < 600
    assert figures[named("genpulse_tasks_cost_usd_total")] == 0


async def test_a_series_begins_with_nothing_and_is_counted_by_the_next_scrape(either):
    await either.submit()
    await either.end(NO)
    shown = [(await samples(either)).get(FAILED) for _ in range(2)]
    while None in shown:
        shown = [*shown[1:], (await samples(either)).get(FAILED)]
    assert shown == [0, 1]


async def test_scrapes_at_the_same_time_count_nothing_twice(either):
    for _ in range(4):
        await either.submit()
        await either.end(NO)
    await asyncio.gather(*(samples(either) for _ in range(8)))
    assert (await once_counted(either, 4))[FAILED] == 4
    assert (await samples(either))[FAILED] == 4


async def test_what_ended_while_the_database_was_away_is_counted_afterwards(api):
    await api.submit()
    await api.end(NO)
    await once_counted(api, 1)
    await api.submit()
    await api.end(NO)
    api.store.away = True
    assert (await samples(api))[FAILED] == 1
    api.store.away = False
    assert (await once_counted(api, 2))[FAILED] == 2


async def test_models_that_nobody_lists_are_one_series(api):
    await api.submit()
    await api.end(NO)
    task = next(iter(api.store._tasks.values()))
    for name in ("art/one", "art/two"):
        await api.submit()
        await api.end(NO)
        last = list(api.store._tasks.values())[-1]
        api.store._tasks[last.id] = replace(last, model=name)
    assert task.model == "art/easel"
    other = ("genpulse_tasks_ended_total", *sorted({**dict(FAILED[1:]), "model": "art/other"}.items()))
    figures = await once_counted(api, 2, other)
    assert (figures[FAILED], figures[other]) == (1, 2)


class Slow(MemoryEndedWork):
    """Never done where more is asked for than `most`."""

    most = 5_000

    async def tasks(self, since, until, limit):
        if limit > self.most:
            await asyncio.Event().wait()
        return await super().tasks(since, until, limit)


async def test_a_look_that_takes_too_long_asks_for_less_the_next_time_and_for_more_when_it_went_well(api):
    figures, ended = EndedWorkFigures(ModelLabels({"art/easel"}).of), Slow(api.store, api.services.deliveries)
    await api.submit()
    await api.end(Succeeded(()))
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await figures.look(ended, 0.01)
    await figures.look(ended, 60)
    assert 1_000 <= figures._at_once <= 2 * Slow.most
    Slow.most = ended_work.MOST_AT_ONCE
    for _ in range(9):
        await figures.look(ended, 60)
    assert figures._at_once == ended_work.MOST_AT_ONCE
    (family,) = [one for one in figures.collect() if one.name == "genpulse_task_running_seconds"]
    assert [sample.value for sample in family.samples if sample.name.endswith("_count")] == [1]


class Broken(MemoryEndedWork):
    """Over tables of another version."""

    async def settled_until(self):
        raise RuntimeError('column "tried_at" does not exist')


async def test_where_ended_work_cannot_be_counted_the_rest_is_shown_and_says_so(serve, api):
    broken = await serve(ended_work=Broken(api.store, api.services.deliveries))
    await samples(broken)
    figures = await samples(broken)
    assert figures[("genpulse_database_up",)] == 1
    assert figures["genpulse_loop_failures_total", ("loop", COUNTING)] >= 1


async def test_the_first_scrape_goes_back_an_hour_at_most(api):
    now, found = await api.store.now(), {}
    for minutes in (10, 50, 70, 600):
        await api.submit()
        await api.end(NO)
        task = list(api.store._tasks.values())[-1]
        api.store._tasks[task.id] = replace(task, finished_at=now - timedelta(minutes=minutes))
    for ran_s in (0.0, 1_800.0, 3_000_000.0):
        figures = EndedWorkFigures(ModelLabels({"art/easel"}).of, iter((0.0, ran_s)).__next__)
        await figures.look(MemoryEndedWork(api.store, api.services.deliveries), 60)
        found[ran_s] = sum(count for *_, count in _counts(figures))
    assert found == {0.0: 0, 1_800.0: 1, 3_000_000.0: 2}


class SetBack(MemoryEndedWork):
    """A store whose clock was set back by an hour after the first look."""

    looks = 0

    async def settled_until(self):
        self.looks += 1
        settled = await super().settled_until()
        return settled if self.looks == 1 else settled.replace(year=settled.year - 1)

    async def attempts(self, since, until, limit):
        assert since <= until
        return EndedWithin((), until)


async def test_a_clock_that_is_set_back_counts_nothing_twice(api):
    figures, ended = EndedWorkFigures(ModelLabels({"art/easel"}).of), SetBack(api.store, api.services.deliveries)
    await api.submit()
    await api.end(NO)
    for _ in range(3):
        await figures.look(ended, 60)
    assert [count for _, _, count in _counts(figures)][-1:] == [1]


def _counts(figures):
    list(figures.collect())
    (family,) = [one for one in figures.collect() if one.name == "genpulse_tasks_ended"]
    return [(sample.name, sample.labels, sample.value) for sample in family.samples]

"""`genpulse tasks list --failed` and `tasks retry`, as commands against an API."""

import json
from decimal import Decimal

import pytest

from genpulse.cli.tasks.retry import _retry_each
from genpulse.dev.processes.ports import free_port
from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable, UnknownOutcome
from genpulse.domain.failure import Charged
from genpulse.domain.money.spending import Spending
from genpulse.domain.task import NewTask, TaskStatus
from genpulse_client import AsyncGenPulse
from tests.integration.api.conftest import charging

DOWN = ProviderUnavailable("down").failure
BLOCKED = ModerationBlocked("no", charged=Charged.YES).failure
LOST = UnknownOutcome("lost").failure


@pytest.fixture
def catalogue_of(catalogue_of):
    """Of a provider that charges."""
    return charging(catalogue_of)


async def failed(api, failure, provider="art", price_usd=None, model="easel", *, ordered=False, job_id=None):
    """A task that failed so; with `ordered` nobody knows what became of its order."""
    services = api.services
    new = NewTask(
        id=services.new_id(),
        environment="dev",
        kind="text-to-image",
        provider=provider,
        model=f"{provider}/{model}",
        input={"prompt": "a fox"},
        price_usd=price_usd,
    )
    await services.store.submit(new)
    return await api.end(Failed(failure), provider=provider, ordered=ordered, job_id=job_id)


async def queued(api):
    return [task.id for task in api.store.all_tasks() if task.status is TaskStatus.QUEUED]


async def test_failed_tasks_are_listed_with_their_reason(api, genpulse):
    down, blocked = await failed(api, DOWN), await failed(api, BLOCKED)
    await api.submit()
    code, out, _ = await genpulse(api, "tasks", "list", "--failed", "--json")
    assert (code, [task["id"] for task in json.loads(out)]) == (0, [str(blocked.id), str(down.id)])
    code, out, _ = await genpulse(api, "tasks", "list", "--code", "provider_unavailable", "--json")
    assert [task["id"] for task in json.loads(out)] == [str(down.id)]
    code, out, _ = await genpulse(api, "tasks", "list", "--failed")
    head, *rows = map(str.split, out.splitlines())
    assert head == ["task", "error", "charged", "created", "(UTC)", "model"]
    assert [(*row[:3], row[-1]) for row in rows] == [
        (str(blocked.id), "moderation_blocked", "yes", "art/easel"),
        (str(down.id), "provider_unavailable", "no", "art/easel"),
    ]


async def test_an_empty_filter_retries_nothing(api, genpulse):
    task = await failed(api, DOWN)
    for option in ("--provider", "--code"):
        code, _, err = await genpulse(api, "tasks", "retry", "--all", option, "", "--yes")
        assert code == 1, err
        assert option.removeprefix("--") in err
    assert str(task.id) not in map(str, await queued(api))


async def test_misuse_is_told(api, genpulse):
    for arguments in (
        ("list", "--failed", "--status", "queued"),
        ("retry",),
        ("retry", "x", "--all"),
        ("retry", "x", "--yes"),
        ("retry", "x", "--code", "internal"),
    ):
        code, out, err = await genpulse(api, "tasks", *arguments)
        assert (code, out) == (2, ""), err


async def test_a_code_that_does_not_exist_is_refused(api, genpulse):
    code, _, err = await genpulse(api, "tasks", "retry", "--all", "--code", "nonsense", "--yes")
    assert code == 1
    assert "code" in err


async def test_one_task_is_retried(api, genpulse):
    task = await failed(api, DOWN)
    code, out, _ = await genpulse(api, "tasks", "retry", str(task.id))
    assert (code, await queued(api)) == (0, [task.id])
    assert "queued" in out


async def test_all_that_match_are_retried(api, genpulse):
    tasks = [await failed(api, DOWN) for _ in range(103)]
    others = [await failed(api, BLOCKED), await failed(api, DOWN, provider="prints")]
    matching = ("--code", "provider_unavailable", "--provider", "art")
    code, out, _ = await genpulse(api, "tasks", "retry", "--all", *matching, "--yes")
    assert (code, out) == (0, "103 are queued again, 0 were refused, 0 not tried.\n")
    assert set(await queued(api)) == {task.id for task in tasks}
    for other in others:
        assert (await api.store.get(other.id)).status is TaskStatus.FAILED


async def test_the_newest_come_first_and_no_more_than_the_limit(api, genpulse):
    tasks = [await failed(api, DOWN) for _ in range(3)]
    code, out, _ = await genpulse(api, "tasks", "retry", "--all", "--limit", "2", "--yes", "--json")
    assert (code, json.loads(out)["retried"]) == (0, 2)
    assert await queued(api) == [task.id for task in tasks[1:]]


async def test_nothing_to_retry_is_no_error(api, genpulse):
    assert await genpulse(api, "tasks", "retry", "--all") == (0, "No failed task matches.\n", "")


async def test_tasks_of_unknown_outcome_have_to_be_named(api, genpulse, typed):
    lost, down = await failed(api, LOST), await failed(api, DOWN)
    code, out, err = await genpulse(api, "tasks", "retry", "--all", "--yes", "--json")
    assert (code, await queued(api)) == (0, [down.id])
    assert json.loads(out) == {"retried": 1, "refused": 0, "not_tried": 0, "left_out": 1, "reasons": {}}
    assert "may pay for them twice" in err
    code, _, err = await typed(api, "y", "tasks", "retry", "--all", "--code", "unknown_outcome")
    assert (code, set(await queued(api))) == (0, {lost.id, down.id})
    assert "paid for twice" in err


async def test_a_person_is_asked_and_told_how_many_were_charged(api, genpulse, typed):
    await failed(api, DOWN)
    await failed(api, BLOCKED)
    code, out, err = await typed(api, "n", "tasks", "retry", "--all")
    assert (code, out, await queued(api)) == (1, "", [])
    assert "2 failed tasks; 1 of them were charged already, or may have been" in err
    assert "Nothing was retried" in err
    code, _, err = await genpulse(api, "tasks", "retry", "--all")
    assert (code, await queued(api)) == (1, [])
    assert "--yes" in err
    code, out, _ = await typed(api, "y", "tasks", "retry", "--all")
    assert (code, len(await queued(api))) == (0, 2)


async def test_it_goes_on_after_a_refusal_and_says_why(serve, genpulse):
    """Two cost nothing; of the three others the budget has room for one."""
    api = await serve(spending=Spending(daily_usd=Decimal("1.5")))
    for price_usd in (None, Decimal(1), Decimal(1), Decimal(1), None):
        await failed(api, DOWN, price_usd=price_usd)
    code, out, _ = await genpulse(api, "tasks", "retry", "--all", "--yes")
    assert (code, len(await queued(api))) == (1, 3)
    assert out.startswith("3 are queued again, 2 were refused, 0 not tried.\n  2 x budget_exceeded, such as: ")


async def test_a_database_that_is_away_is_told(api, genpulse):
    await failed(api, DOWN)
    api.store.away = True
    code, _, err = await genpulse(api, "tasks", "retry", "--all", "--yes")
    assert (code, await queued(api)) == (1, [])
    assert "PostgreSQL" in err


async def test_it_stops_where_no_api_answers():
    async with AsyncGenPulse(f"http://127.0.0.1:{free_port()}") as client:
        went = await _retry_each(client, ["a", "b"])
    assert (went.retried, went.refused, went.not_tried, went.is_all) == (0, {}, 2, False)
    assert "Nothing answers" in went.stopped_by


async def test_what_may_be_paid_for_twice_needs_a_word_of_its_own(api, genpulse):
    lost = await failed(api, LOST, model="print", ordered=True)
    code, out, err = await genpulse(api, "tasks", "retry", str(lost.id))
    assert (code, out, await queued(api)) == (1, "", [])
    assert lost.order.reference in err
    assert "--even-if-charged" in err
    code, out, _ = await genpulse(api, "tasks", "retry", str(lost.id), "--even-if-charged")
    assert (code, await queued(api)) == (0, [lost.id])
    assert "queued" in out


async def test_of_all_those_that_may_be_paid_for_twice_are_refused_without_the_word(api, genpulse, typed):
    free, lost = await failed(api, LOST), await failed(api, LOST, model="print", ordered=True)
    code, out, err = await typed(api, "y", "tasks", "retry", "--all", "--code", "unknown_outcome")
    assert (code, await queued(api)) == (1, [free.id])
    assert out.startswith("1 are queued again, 1 were refused, 0 not tried.\n  1 x may_be_charged, such as: ")
    assert "refused without --even-if-charged" in err
    code, out, err = await typed(api, "y", "tasks", "retry", "--all", "--even-if-charged")
    assert (code, set(await queued(api))) == (0, {free.id, lost.id})
    assert "may be paid for twice" in err


async def test_what_can_be_taken_up_is_never_ordered_anew_with_many_others(api, genpulse):
    known = await failed(api, LOST, model="print", ordered=True, job_id="job-9")
    lost = await failed(api, LOST, model="print", ordered=True)
    code, _, _ = await genpulse(api, "tasks", "retry", "--all", "--even-if-charged", "--yes")
    assert (code, set(await queued(api))) == (0, {known.id, lost.id})
    assert (await api.store.get(known.id)).order == known.order
    assert (await api.store.get(lost.id)).order is None

"""`genpulse tasks list`, `cancel` and `retry` with filters, and `genpulse usage`, as commands against an API."""

import asyncio
import json
import os
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.errors import ProviderRejected, ProviderUnavailable
from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.money.cost import Cost
from tests import command
from tests.api_keys import added

DOWN = ProviderUnavailable("down").failure


async def submitted(api, **changes):
    return (await api.submit(**changes)).json["id"]


@pytest.fixture
async def three(api):
    """The ids of two tasks of one customer and one of another."""
    return [
        await submitted(api, metadata={"customer": "acme"}),
        await submitted(api, metadata={"customer": "acme"}, model="art/print", kind="text-to-image"),
        await submitted(api, metadata={"customer": "beta"}, input={"prompt": "a wolf"}),
    ]


async def listed(genpulse, api, *options):
    code, out, err = await genpulse(api, "tasks", "list", "--json", *options)
    assert code == 0, err
    return [task["id"] for task in json.loads(out)]


async def test_list_by_filters(api, three, genpulse):
    assert await listed(genpulse, api, "--meta", "customer=acme") == [three[1], three[0]]
    assert await listed(genpulse, api, "--meta", "customer=acme", "--meta", "customer=beta") == three[::-1]
    assert await listed(genpulse, api, "--model", "art/easel", "--text", "wolf") == [three[2]]
    assert await listed(genpulse, api, "--since", "1h", "--status", "queued", "--status", "failed") == three[::-1]
    assert await listed(genpulse, api, "--since", "2000-01-01", "--until", "2000-01-02T12:00:00+02:00") == []


async def test_a_table_has_dates_and_says_in_which_zone(api, three, genpulse):
    code, out, _ = await genpulse(api, "tasks", "list")
    created = (await api.get(f"/v1/tasks/{three[0]}")).json["created_at"]
    assert code == 0
    assert "created (UTC)" in out
    assert created[:19].replace("T", " ") in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "yesterday"], "is no time"),
        (["--since", "2030-13-01"], "is no time"),
        (["--since", "999999w"], "is no time"),
        (["--meta", "customer"], "is no metadata"),
        (["--meta", "=acme"], "is no metadata"),
        (["--meta", "customer=\udcff"], "bytes that are no text"),
        (["--text", "a\udcff"], "bytes that are no text"),
        (["--status", "done"], "is not one of"),
        (["--failed", "--status", "queued"], "exclude each other"),
    ],
)
async def test_options_that_make_no_sense_are_refused(api, genpulse, options, said):
    code, _, err = await genpulse(api, "tasks", "list", *options)
    assert code == 2
    assert said in err


async def test_what_the_api_refuses_is_told_with_its_parameter(api, genpulse):
    code, _, err = await genpulse(api, "tasks", "list", "--key", "nobody")
    assert code == 1
    assert "key: No API key here has the id or the name 'nobody'" in err


async def test_cancel_shows_the_count_and_asks(api, three, genpulse, typed):
    code, _, err = await genpulse(api, "tasks", "cancel", "--meta", "customer=acme")
    assert code == 1
    assert "Nobody can be asked here about 2 tasks (2 queued)." in err
    code, _, err = await typed(api, "n", "tasks", "cancel", "--meta", "customer=acme")
    assert (code, "Nothing was done." in err) == (1, True)
    code, out, err = await typed(api, "y", "tasks", "cancel", "--meta", "customer=acme")
    assert (code, out) == (0, "2 tasks are asked to stop.\n")
    assert "2 tasks (2 queued)." in err
    states = [task["status"] for task in (await api.get("/v1/tasks")).json["data"]]
    assert states == ["queued", "canceled", "canceled"]
    code, out, _ = await genpulse(api, "tasks", "cancel", "--meta", "customer=acme", "--yes")
    assert (code, out) == (0, "No task was touched.\nLeft out: 2 x ended.\n")


async def test_cancel_all_there_is(api, three, genpulse):
    code, out, _ = await genpulse(api, "tasks", "cancel", "--all", "--yes", "--json")
    assert code == 0
    assert json.loads(out) == {"action": "cancel", "done": 3, "left_out": {}}


async def test_cancel_of_one_stays_as_it_is(api, three, genpulse):
    code, out, _ = await genpulse(api, "tasks", "cancel", three[0])
    assert (code, "canceled" in out) == (0, True)
    for options in ([], [three[0], "--all"], [three[0], "--meta", "a=b"], [three[0], "--yes"]):
        assert (await genpulse(api, "tasks", "cancel", *options))[0] == 2


async def test_retry_by_filters_tells_money_and_leaves_out_what_cannot_succeed(api, three, genpulse, typed):
    await api.end(Failed(DOWN))
    await api.end(Failed(ProviderRejected("no").failure))
    code, out, err = await typed(api, "y", "tasks", "retry", "--meta", "customer=acme")
    assert (code, out) == (0, "1 task is queued again.\nLeft out: 1 x not_retryable.\n")
    assert "1 task (1 failed). To run them again costs $0 at most, and 1 has no known price." in err
    assert "Left out: 1 x not_retryable." in err
    code, _, err = await genpulse(api, "tasks", "retry", "--meta", "customer=acme", "--limit", "1")
    assert (code, "go with --all" in err) == (2, True)


async def test_usage(api, three, genpulse):
    await api.end(Succeeded((), Cost(Decimal("0.25"))))
    code, out, err = await genpulse(api, "usage", "--by", "metadata.customer,key")
    assert code == 0, err
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["acme", "2", "1", "0", "0.25", "█" * 20, "0", "0.25", "0.25", "0", "2"],
        ["beta", "1", "0", "0", "0", "0", "0", "0", "0", "1"],
    ]
    code, out, _ = await genpulse(api, "usage", "--since", "7d", "--json")
    assert json.loads(out)["data"][0]["count"] == 3
    assert (await genpulse(api, "usage", "--until", "2000-01-01"))[1] == "No task came then.\n"
    code, _, err = await genpulse(api, "usage", "--by", "hour")
    assert (code, "group_by" in err) == (1, True)


async def test_usage_as_a_table_for_a_spreadsheet(api, three, genpulse, tmp_path):
    await api.end(Succeeded((), Cost(Decimal("0.25"))))
    asked = {"Accept": "text/csv"}
    asked_for = {"metadata.customer,key": "key,metadata.customer", "day,status": "day,status", "": None}
    for by, group_by in asked_for.items():
        query = f"?group_by={group_by}" if group_by else ""
        expected = (await api.get(f"/v1/usage{query}", headers=asked)).body.decode()
        options = ["--by", by] if by else []
        assert await genpulse(api, "usage", *options, "--csv", "-") == (0, expected.replace("\r\n", "\n"), "")
        code, out, _ = await genpulse(api, "usage", *options, "--csv", str(tmp_path / "usage.csv"))
        assert (code, out.startswith(str(tmp_path / "usage.csv"))) == (0, True)
        assert (tmp_path / "usage.csv").read_bytes().decode() == expected
    nothing = await genpulse(api, "usage", "--until", "2000-01-01", "--csv", "-")
    counts, money = "count,queued,running,succeeded,failed,canceled", "cost_usd,price_usd,unpriced"
    ledger = "reserved_usd,settled_usd,released_usd,refunded_usd"
    assert nothing[:2] == (0, f"{counts},{money},{ledger}\n")
    code, _, err = await genpulse(api, "usage", "--csv", str(tmp_path / "nowhere/usage.csv"))
    assert (code, "cannot be written" in err) == (1, True)
    assert (await genpulse(api, "usage", "--csv", "-", "--json"))[0] == 2


async def test_a_task_gets_metadata_on_the_command_line(api, genpulse, tmp_path):
    put = ("generate", "a fox", "-m", "art/easel", "-o", "fox.txt", "--json", "--meta", "customer=acme=1")
    async with api.worker():
        code, out, err = await genpulse(api, *put, "--meta", "order=7")
    assert (code, json.loads(out)["metadata"]) == (0, {"customer": "acme=1", "order": "7"}), err
    (tmp_path / "p.txt").write_text("a fox")
    code, _, err = await genpulse(api, "generate", "--from", "p.txt", "--meta", "customer=acme")
    assert (code, "the columns metadata.NAME" in err) == (2, True)
    assert (await genpulse(api, *put, "--meta", "acme"))[0] == 2
    code, _, err = await genpulse(api, *put, "--meta", "customer=globex")
    assert (code, "'customer' is given twice" in err) == (2, True)


async def test_the_variable_of_the_clients_names_the_api(api, tmp_path):
    await api.submit()

    async def listed(*options, **variables):
        environment = {"PATH": os.defpath, **variables}
        words = ("tasks", "list", "--json", *options)
        return await asyncio.to_thread(command.run, *words, folder=tmp_path, environment=environment)

    done = await listed(GENPULSE_URL=api.url)
    assert (done.returncode, len(json.loads(done.stdout))) == (0, 1)
    assert (await listed("--api", api.url, GENPULSE_URL="http://127.0.0.1:9")).returncode == 0
    done = await listed(GENPULSE_URL="media.example")
    assert (done.returncode, "Invalid value for GENPULSE_URL: it must begin" in done.stderr) == (2, True)


async def test_a_task_is_put_off_on_the_command_line(api, genpulse, tmp_path):
    put = ("generate", "a fox", "-m", "art/easel", "-o", "fox.txt", "--run-at")
    async with api.worker():
        code, out, err = await genpulse(api, *put, "9000-01-31T22:00:00+02:00", "--json")
        assert (code, "30 days" in err) == (1, True)
        code, out, err = await genpulse(api, *put, "1s", "--json")
    assert code == 0, err
    task = json.loads(out)
    began, run_at = (datetime.fromisoformat(task[name]) for name in ("started_at", "run_at"))
    assert began >= run_at > datetime.fromisoformat(task["created_at"]) - timedelta(seconds=60)
    assert (tmp_path / "fox.txt").read_text() == "drawing of a fox"
    assert (await genpulse(api, *put, "soon"))[0] == 2
    (tmp_path / "p.txt").write_text("a fox")
    code, _, err = await genpulse(api, "generate", "--from", "p.txt", "--run-at", "1h")
    assert (code, "--run-at is for one task" in err) == (2, True)


async def test_budgets(api, genpulse):
    assert (await genpulse(api, "budgets"))[1] == "Nothing is limited.\n"
    limits = KeyLimits(max_active_tasks=4, monthly_usd=Decimal("2.50"))
    key, headers = await added(api.services.keys, name="shop", scopes=frozenset({Scope.ADMIN}), limits=limits)
    await api.submit(headers=headers)
    secret = headers["Authorization"].partition(" ")[2]
    code, out, err = await genpulse(api, "budgets", GENPULSE_API_KEY=secret)
    assert code == 0, err
    head, active, month = out.splitlines()
    assert head.split() == ["for", "what", "used", "limit", "part", "begins", "anew"]
    assert active.split() == ["key", "shop", "active", "tasks", "1", "4", "25%"]
    assert month.split()[:9] == ["key", "shop", "USD", "a", "month", "0", "2.50", "0%", month.split()[8]]
    code, out, _ = await genpulse(api, "budgets", "--json", GENPULSE_API_KEY=secret)
    assert {(one["name"], one["measure"], one["limit"]) for one in json.loads(out)} == {
        (str(key.id), "active_tasks", "4"),
        (str(key.id), "usd", "2.50"),
    }


async def test_show_tells_each_try(api, three, genpulse):
    await api.end(Failed(ProviderRejected("no").failure))
    code, out, _ = await genpulse(api, "tasks", "show", three[0])
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("try 1")]
    assert line.startswith("try 1     failed, at ")
    assert line.endswith("by w: provider_rejected: no")


async def test_attempts_name_their_worker_to_whoever_sees_all(either):
    _, own = await added(either.services.keys, name="shop")
    _, admin = await added(either.services.keys, name="boss", scopes=frozenset({Scope.ADMIN}))
    task = (await either.submit(headers=own)).json["id"]
    assert (await either.get(f"/v1/tasks/{task}/attempts", headers=own)).json == {"data": []}
    await either.end(Failed(DOWN))
    for headers, worker, key in ((own, None, None), (admin, "w", "shop")):
        (attempt,) = (await either.get(f"/v1/tasks/{task}/attempts", headers=headers)).json["data"]
        assert (attempt["number"], attempt["status"], attempt["worker"]) == (1, "failed", worker)
        assert attempt["error"]["code"] == "provider_unavailable"
        assert attempt["started_at"] <= attempt["finished_at"]
        shown = (await either.get(f"/v1/tasks/{task}", headers=headers)).json["key"]
        (listed,) = (await either.get("/v1/tasks", headers=headers)).json["data"]
        assert (shown and shown["name"], listed["key"]) == (key, shown)


async def test_an_attempt_tells_when_it_came_how_far(either):
    task = (await either.submit()).json["id"]
    times = AttemptTimes(40, 60, 4000, 4000, 4500, 4501, polls=3)
    await either.end(Succeeded(()), times=times)
    (attempt,) = (await either.get(f"/v1/tasks/{task}/attempts")).json["data"]
    began = datetime.fromisoformat(attempt["started_at"])
    names = ("taken_at", "first_polled_at", "last_polled_at", "done_at", "collected_at", "stored_at")
    after_ms = [(datetime.fromisoformat(attempt[name]) - began) / timedelta(milliseconds=1) for name in names]
    assert (after_ms, attempt["polls"]) == ([40, 60, 4000, 4000, 4500, 4501], 3)


async def test_what_nobody_knows_of_an_attempt_is_null(either):
    task = (await either.submit()).json["id"]
    await either.end(Failed(DOWN))
    (attempt,) = (await either.get(f"/v1/tasks/{task}/attempts")).json["data"]
    names = ("taken_at", "first_polled_at", "last_polled_at", "polls", "done_at", "collected_at", "stored_at")
    assert {attempt[name] for name in names} == {None}


async def test_delete_by_filters(api, three, genpulse):
    code, out, _ = await genpulse(api, "tasks", "delete", "--meta", "customer=acme", "--yes")
    assert (code, out) == (0, "2 tasks are deleted.\n")
    assert await listed(genpulse, api) == [three[2]]
    for options in ([], [three[2], "--all"], [three[2], "--text", "wolf"]):
        assert (await genpulse(api, "tasks", "delete", *options, "--yes"))[0] == 2

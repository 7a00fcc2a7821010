"""What is odd about a task that succeeded, and what a canceled one may have cost, wherever a task is shown."""

import asyncio
import json
from dataclasses import asdict
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse import config
from genpulse.cli.worker.process import describer, links_at_hand
from genpulse.domain.assets.asset import Asset
from genpulse.domain.attempt import Canceled, Succeeded
from genpulse.domain.errors import UnknownOutcome
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse_client import AsyncGenPulse
from tests.integration.api.test_task_events import collect

MISSING = TaskWarning(WarningCode.OUTPUT_MISSING, "The provider's filter took it.", 1)
FLAGGED = TaskWarning(WarningCode.FLAGGED, "The provider has marked what it made: nsfw.")
SHOWN = [
    {"code": "output_missing", "index": 1, "message": "The provider's filter took it."},
    {"code": "flagged", "index": None, "message": "The provider has marked what it made: nsfw."},
]
LOST = UnknownOutcome("The order was on its way, and its answer never came.").failure


async def succeeded(api, *warnings):
    """How a task ends that made one picture."""
    content = await api.storage.keep(b"a picture")
    asset = Asset(uuid_utils.compat.uuid7(), content, api.services.now(), "dev")
    return Succeeded((asset,), warnings=warnings)


async def odd(api):
    """The id of a task that succeeded with two warnings."""
    await api.submit()
    return str((await api.end(await succeeded(api, MISSING, FLAGGED))).id)


async def canceled(api, error=LOST):
    """The id of a task that was canceled while its order was on its way."""
    await api.submit()
    return str((await api.end(Canceled(error), ordered=error is not None)).id)


async def test_they_are_in_the_task_the_list_and_the_stream(either):
    task_id = await odd(either)
    task = (await either.get(f"/v1/tasks/{task_id}")).json
    assert (task["status"], task["error"], task["warnings"]) == ("succeeded", None, SHOWN)
    assert (await either.get("/v1/tasks")).json["data"] == [task]
    _, events = await collect(either, task_id)
    assert (events[-1].name, events[-1].data["warnings"]) == ("done", SHOWN)


async def test_a_receiver_of_webhooks_is_told(either, tmp_path):
    describe = describer(links_at_hand(config.load(tmp_path, {"ENV": "dev"}, require=()), either.services))
    told = await describe(await either.services.store.get(UUID(await odd(either))))
    assert (told["status"], told["warnings"]) == ("succeeded", SHOWN)
    told = await describe(await either.services.store.get(UUID(await canceled(either))))
    assert (told["status"], told["error"]["charged"]) == ("canceled", "maybe")


async def test_where_all_is_well_there_are_none(either):
    assert (await either.submit()).json["warnings"] == []
    await either.end(await succeeded(either))
    assert (await either.get("/v1/tasks")).json["data"][0]["warnings"] == []


async def test_the_client_has_them_typed(api):
    task_id = await odd(api)
    async with AsyncGenPulse(api.url) as client:
        warnings = (await client.get(task_id)).warnings
    assert [(each.code, each.message, each.index) for each in warnings] == [
        ("output_missing", "The provider's filter took it.", 1),
        ("flagged", "The provider has marked what it made: nsfw.", None),
    ]


async def test_the_commands_tell_them(api, genpulse):
    task_id = await odd(api)
    code, out, _ = await genpulse(api, "tasks", "show", task_id)
    assert code == 0
    assert (
        "warnings  output_missing (output 2): The provider's filter took it.\n"
        "          flagged: The provider has marked what it made: nsfw.\n"
    ) in out
    code, out, _ = await genpulse(api, "tasks", "list")
    assert "flagged,output_missing" in "".join(out.split())


@pytest.mark.parametrize("as_json", [False, True])
async def test_who_generates_is_told(api, genpulse, tmp_path, as_json):
    run = genpulse(api, "generate", "a fox", "--model", "art/easel", *(["--json"] if as_json else []))
    generating = asyncio.create_task(run)
    async with asyncio.timeout(60):
        while not api.store.all_tasks():
            await asyncio.sleep(0.01)
    await api.end(await succeeded(api, MISSING, FLAGGED))
    code, out, err = await generating
    assert code == 0, err
    assert "warning: output_missing (output 2): The provider's filter took it.\n" in err
    assert "warning: flagged: " in err
    assert not as_json or json.loads(out)["warnings"] == SHOWN


async def test_a_canceled_task_says_what_nobody_knows_about_its_money(api, genpulse):
    task_id = await canceled(api)
    task = (await api.get(f"/v1/tasks/{task_id}")).json
    assert task["status"] == "canceled"
    assert (task["error"]["code"], task["error"]["charged"]) == ("unknown_outcome", "maybe")
    assert (await api.get("/v1/tasks")).json["data"] == [task]
    _, events = await collect(api, task_id)
    assert events[-1].data["error"] == task["error"]
    async with AsyncGenPulse(api.url) as client:
        assert asdict((await client.get(task_id)).error) == task["error"]
    _, out, _ = await genpulse(api, "tasks", "show", task_id)
    assert (
        "error     unknown_outcome: The order was on its way, and its answer never came. (charged: maybe)" in out
    )
    _, out, _ = await genpulse(api, "tasks", "list")
    assert "unknown_outcome(charged:maybe)" in "".join(out.split())


async def test_a_canceled_task_that_cost_nothing_has_no_error(api):
    task_id = await canceled(api, None)
    assert (await api.get(f"/v1/tasks/{task_id}")).json["error"] is None

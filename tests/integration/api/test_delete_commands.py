"""`genpulse tasks delete` and `genpulse assets delete` against an API."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse
from genpulse.cli.errors import CommandRefused


@pytest.fixture
def run(api):
    """Type a command, on a thread of its own."""

    async def run(*arguments, **options):
        words = [*arguments, "--api", api.url]
        return await asyncio.to_thread(CliRunner().invoke, genpulse, words, env={"ENV": "dev"}, **options)

    return run


async def test_tasks_are_deleted_by_the_beginning_of_their_ids(api, run):
    task, other = [(await api.submit()).json["id"] for _ in range(2)]
    result = await run("tasks", "delete", task, other[:-1], "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"deleted": [task, other], "refused": {}}
    assert (await api.get("/v1/tasks")).json["data"] == []


async def test_where_nobody_can_be_asked_nothing_is_deleted(api, run):
    task = (await api.submit()).json["id"]
    result = await run("tasks", "delete", task)
    assert isinstance(result.exception, CommandRefused)
    assert "Run it with --yes. Nothing was deleted." in str(result.exception)
    assert len((await api.get("/v1/tasks")).json["data"]) == 1


async def test_each_refusal_is_told_and_the_others_go(api, run):
    upload, needed = [(await api.upload(content)).json["id"] for content in (b"a", b"b")]
    await api.submit(input={"prompt": f"asset:{needed}"})
    unknown = "01a22867-c67d-7718-9c7d-4cc355460566"
    result = await run("assets", "delete", upload, needed, unknown, "--yes")
    assert result.exit_code == 1
    assert f"Deleted {upload}." in result.stdout
    assert f"There is no asset {unknown}." in result.stdout
    assert "which has not ended" in result.stdout
    assert (await api.get(f"/v1/assets/{needed}")).status == 200


async def test_an_id_is_needed(run):
    assert (await run("assets", "delete")).exit_code == 2
    assert (await run("tasks", "delete")).exit_code == 2

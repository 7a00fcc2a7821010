"""The page about a day of support: what it tells to type runs and does what it says."""

import asyncio
import json
import os
import re
import shutil
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable
from genpulse.domain.failure import Charged
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.task import NewTask
from tests.acceptance.snippets import Page
from tests.api_keys import added
from tests.integration.api.conftest import charging

ROOT = Path(__file__).parents[3]
DOWN = ProviderUnavailable("down").failure
BLOCKED = ModerationBlocked("no", charged=Charged.YES).failure
PAGE = Page("how-to/a-day-of-support.md")


@pytest.fixture
def catalogue_of(catalogue_of):
    """Of a provider that charges."""
    return charging(catalogue_of)


@pytest.fixture
async def asset(api):
    """What acme has brought."""
    return (await api.upload(b"a photo")).json["id"]


@pytest.fixture
async def tasks(api, asset):
    """Of acme one that was charged twice and one that may succeed; and one of somebody else."""
    twice = await failed(api, BLOCKED, "acme", asset)
    answer = await api.post(f"/v1/tasks/{twice}/retry", json={"even_if_charged": True})
    assert answer.status == 202, answer.body
    await api.end(Failed(BLOCKED))
    return twice, await failed(api, DOWN, "acme"), await failed(api, DOWN, "globex")


async def failed(api, failure, customer, asset=None):
    services = api.services
    words = {"prompt": "a fox"} | ({"image": f"asset:{asset}"} if asset else {})
    new = NewTask(
        id=services.new_id(),
        environment="dev",
        kind="text-to-image",
        provider="art",
        model="art/easel",
        input=words,
        metadata={"customer": customer},
        webhook_url="http://user:secret@127.0.0.1:9/hook",
        price_usd=Decimal("0.04"),
    )
    await services.store.submit(new)
    await api.end(Failed(failure))
    return str(new.id)


async def ran(api, folder, *command, **variables):
    """What a program says that ends well."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "packages/genpulse-client"),
            "GENPULSE_URL": api.url,
            **variables,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def customers(api, headers=None):
    """Whose tasks there are, and how each stands."""
    found = (await api.get("/v1/tasks", headers=headers)).json["data"]
    return sorted((task["metadata"]["customer"], task["status"]) for task in found)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("jq"), reason="the page wants curl and jq")
async def test_by_http(api, tasks, asset, tmp_path):
    twice, down, _ = tasks
    _, admin = await added(api.services.keys, name="support", scopes=frozenset({Scope.ADMIN}))
    key = admin["Authorization"].split()[1]
    script = "\n".join(["set -eu", *PAGE.blocks("sh")])
    said = await ran(api, tmp_path, "bash", "-c", script, GENPULSE_API_KEY=key, TASK=twice)
    assert '"count":1' in said
    assert '"price_usd":"0.04"' in said
    assert '"not_retryable"' in said
    assert '"done":1' in said
    assert f"{twice}\tmoderation_blocked\tyes" in said
    assert f"{down}\tprovider" not in said
    assert said.endswith("404\n")
    assert (tmp_path / "uploads.txt").read_text() == f"asset:{asset}\n"
    assert (await api.get(f"/v1/assets/{asset}", headers=admin)).status == 404
    assert await customers(api, admin) == [("globex", "failed")]


async def test_on_the_command_line(api, tasks, asset, genpulse, typed):
    twice, down, _ = tasks
    named = PAGE.text.replace("TASK\n", f"{twice}\n").replace("ASSET\n", f"{asset}\n")
    lines = re.findall(r"^    genpulse (.+)$", named, re.MULTILINE)
    said = [await typed(api, "y", *line.split()) for line in lines]
    assert [code for code, _, _ in said] == [0] * len(said), said
    found, shown, again, worth, usage, _, _, gone = (out for _, out, _ in said)
    assert twice in found
    assert down in found
    money = [line.split("  ")[-1].strip() for line in shown.splitlines() if line.startswith("money")]
    assert money == [f"attempt {n} {what} 0.04 USD (price)" for n, what in MONEY]
    assert "webhook   task.failed to http://127.0.0.1:9/hook: waiting after 0 tries" in shown
    assert "secret" not in shown
    assert "1 task is queued again." in again
    assert f"{down}" not in worth
    assert "0.08" in usage
    assert twice not in gone
    assert down not in gone
    assert await customers(api) == [("globex", "failed")]
    assert (await api.get(f"/v1/assets/{asset}")).status == 404


MONEY = [(0, "reserved"), (1, "settled"), (1, "reserved"), (2, "settled")]


async def test_what_is_worth_a_refund(api, tasks, tmp_path):
    (program,) = PAGE.blocks("python")
    said = await ran(api, tmp_path, sys.executable, "-W", "error", "-c", program)
    assert said == f"{tasks[0]}\tfailed\tmoderation_blocked\tpaid 2x\t0.08\n"


async def test_show_as_json_is_the_task_alone(api, tasks, genpulse):
    code, out, _ = await genpulse(api, "tasks", "show", tasks[0], "--json")
    assert (code, json.loads(out)["id"]) == (0, tasks[0])


def test_every_step_is_there_in_both_ways():
    for section in PAGE.text.split("\n## ")[1:]:
        assert re.search(r"^    genpulse ", section, re.MULTILINE), section
        assert "```sh\n" in section, section

"""`genpulse client-tokens` against an API."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse


@pytest.fixture
def run(api):
    """Type a command, on a thread of its own."""

    async def run(*arguments, **options):
        words = ["client-tokens", *arguments, "--api", api.url]
        return await asyncio.to_thread(CliRunner().invoke, genpulse, words, env={"ENV": "dev"}, **options)

    return run


async def test_one_is_made_listed_and_revoked(api, run):
    limits = ("--max-tasks", "2", "--max-usd", "0.20", "--expires-in-s", "60", "--max-files", "1")
    words = ("-i", "width=64", "--input-field", "prompt", "--meta", "customer=u-17", *limits)
    result = await run("create", "-m", "art/easel", *words)
    assert result.exit_code == 0, result.output
    secret = result.stdout.strip()
    assert secret.startswith("gpct_dev_")
    task = (await api.submit(headers={"Authorization": f"Bearer {secret}"})).json
    assert (task["input"], task["metadata"]) == ({"prompt": "a fox", "width": 64}, {"customer": "u-17"})
    (shown,) = json.loads((await run("list", "--json")).stdout)
    assert (shown["usage"]["tasks"], shown["uploads"]["max_files"]) == (1, 1)
    listed = (await run("list")).stdout
    for word in (shown["id"], "art/easel", "1 of 2", "0 of 0.20"):
        assert word in listed
    result = await run("revoke", shown["id"])
    assert (result.exit_code, "is revoked" in result.stdout) == (0, True)
    assert (await run("list")).stdout == "No client token is good.\n"


async def test_one_that_watches(api, run):
    task = (await api.submit()).json["id"]
    made = json.loads((await run("create", "-t", task, "--no-cancel", "--json")).stdout)
    assert (made["tasks"], made["may_cancel"]) == ([task], False)
    assert "1 tasks" in (await run("list")).stdout


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ((), "either models", 2),
        (("-m", "a/b", "-t", "x"), "either models", 2),
        (("-m", "art/easel", "-i", "width"), "KEY=VALUE", 2),
        (("-m", "art/easel", "--max-tasks", "0"), "0 is not in the range", 2),
    ],
)
async def test_misuse_is_told(run, words, said, code):
    result = await run("create", *words)
    assert (result.exit_code, said in result.output) == (code, True), result.output


async def test_what_the_api_refuses_is_told(run):
    result = await run("create", "-m", "art/none")
    assert "/models/0" in str(result.exception)
    result = await run("revoke", "00000000-0000-7000-8000-000000000000")
    assert "There is no client token" in str(result.exception)

"""What a type checker says of programs that use the client: a misspelt word is an error."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RIGHT = """
import asyncio
from genpulse_client import AsyncGenPulse, GenPulse, Order, RetryLimits

genpulse = GenPulse(retries=RetryLimits(busy_s=5))
task = genpulse.generate("sandbox/image", {"prompt": "a fox"}, webhook_url="http://x", priority="high")
if task.status == "succeeded":
    print(task.outputs[0].url, task.created_at.year, task.metadata["customer"])
if task.error:
    print(task.error.code)
for each in genpulse.list(status=["failed", "canceled"], metadata={"customer": "acme"}, limit=5):
    genpulse.retry(each)
genpulse.submit_batch([Order("sandbox/image", {"prompt": "a fox"}, deadline_s=60)])


async def main() -> None:
    async with AsyncGenPulse() as client:
        async for event in client.watch("id"):
            print(event.progress)
        await client.download((await client.get("id")).outputs[0], "fox.png")


asyncio.run(main())
"""
WRONG = {
    'genpulse.submit("a/b", {}, webhok_url="http://x")': "webhok_url",
    'genpulse.generate("a/b", {}, priority="urgent")': "arg-type",
    'genpulse.list(status="succeded")': "arg-type",
    'genpulse.list(customer="acme")': "customer",
    'Order("a/b", {}, metdata={})': "metdata",
    'genpulse.get("x").outptus': "outptus",
    'genpulse.get("x").error.code': "union-attr",
    'genpulse.get("x").status == "succeded"': "comparison-overlap",
    'AsyncGenPulse().get("x").id': "attr-defined",
}
FIRST_WRONG = len(RIGHT.splitlines()) + 2


def checked(text, folder):
    """What mypy says."""
    (folder / "program.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--cache-dir",
        folder / "cache",
        "program.py",
    ]
    path = str(ROOT / "packages/genpulse-client")
    return subprocess.run(
        command, cwd=folder, env={"MYPYPATH": path}, capture_output=True, text=True, check=False
    ).stdout


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """All programs are checked at once, because a start of mypy takes seconds."""
    text = "\n".join([RIGHT, *WRONG])
    return checked(text, tmp_path_factory.mktemp("typing")).splitlines()


def test_a_program_without_a_mistake_is_passed(said):
    assert [
        line for line in said if line.startswith("program.py:") and int(line.split(":")[1]) < FIRST_WRONG
    ] == []


@pytest.mark.parametrize("program", WRONG)
def test_a_mistake_is_found(said, program):
    number = FIRST_WRONG + list(WRONG).index(program)
    lines = [line for line in said if line.startswith(f"program.py:{number}:")]
    assert any(WRONG[program] in line for line in lines), said

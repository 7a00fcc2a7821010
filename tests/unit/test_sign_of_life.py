"""What a probe learns of a worker from the file that it writes."""

import asyncio
import json
import os
import time

import pytest
from click.testing import CliRunner

from genpulse.background.loops import Loops
from genpulse.cli.app import genpulse
from genpulse.worker.sign_of_life import SILENT_S, SignOfLife, fault_in, show_life, write_sign

LONGEST_S = 300.0
NAMED = "GENPULSE_WORKER__HEALTH_FILE"


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


async def a_sign(loops, path):
    """What is written first, with the job ended again."""
    job = asyncio.create_task(show_life(loops, path, LONGEST_S))
    while not path.exists():
        assert not job.done()
        await asyncio.sleep(0)
    written = path.read_text()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    return written


@pytest.mark.parametrize(
    ("age_s", "is_well"), [(0, True), (SILENT_S, True), (SILENT_S + 0.1, False), (-0.1, False)]
)
def test_a_worker_that_is_silent_is_not_well(tmp_path, age_s, is_well):
    write_sign(SignOfLife(100.0), tmp_path / "life")
    assert (fault_in(tmp_path / "life", 100.0 + age_s) is None) is is_well


@pytest.mark.parametrize(("runs_s", "is_well"), [(0, True), (LONGEST_S, True), (LONGEST_S + 1, False)])
async def test_a_slow_step_is_no_fault_and_a_stuck_one_is_named(tmp_path, runs_s, is_well):
    clock = Clock()
    loops = Loops(clock)
    with loops.soon_over("the renewal of leases"):
        clock.now_s += runs_s
        (tmp_path / "read").write_text(await a_sign(loops, tmp_path / "life"))
    fault = fault_in(tmp_path / "read", time.monotonic())
    assert fault == (None if is_well else "the worker is stuck in the renewal of leases for 301 s")


def test_a_step_that_ended_by_an_error_is_not_stuck():
    clock = Clock()
    loops = Loops(clock)
    with pytest.raises(ConnectionError), loops.soon_over("claiming"):
        raise ConnectionError
    clock.now_s += 1e6
    assert loops.stuck(LONGEST_S) == {}


async def test_the_file_is_gone_when_the_worker_is(tmp_path):
    await a_sign(Loops(), tmp_path / "life")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_cannot_be_written_stops_nothing_and_is_told(tmp_path, caplog):
    loops = Loops()
    job = asyncio.create_task(show_life(loops, tmp_path / "nowhere/life", LONGEST_S))
    while not loops.failures:
        await asyncio.sleep(0)
    assert not job.done()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert "the sign of life failed and goes on" in caplog.text


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "{}", '{"at_s": null, "stuck_s": {}}', '{"at_s": 1, "stuck_s": [1]}']
)
def test_another_file_is_no_sign_of_life(tmp_path, text):
    (tmp_path / "life").write_text(text)
    assert fault_in(tmp_path / "life", 1.0) == f"{tmp_path / 'life'} is no sign of life of a worker"


def health(*arguments, **environment):
    result = CliRunner().invoke(genpulse, ["worker", "--health", *arguments], env=environment)
    return result.exit_code, result.output, result.exception


def test_the_command(tmp_path):
    path = tmp_path / "life"
    code, _, error = health(**{NAMED: str(path)})
    assert (code, str(error)) == (1, f"There is no {path}: no worker runs that writes it.")
    path.write_text(json.dumps({"at_s": time.monotonic(), "stuck_s": {}}))
    assert health(**{NAMED: str(path)})[:2] == (0, "The worker is well.\n")


def test_the_command_where_no_file_is_configured():
    code, _, error = health(ENV="dev")
    assert code == 1
    assert "No worker.health_file is configured" in str(error)


def test_it_goes_with_no_other_option():
    assert health("--concurrency", "3")[0] == os.EX_OK + 2

"""From words and fields to the input of a model."""

import asyncio
import json

import pytest

from genpulse.cli.errors import CommandRefused
from genpulse.cli.generate import _input, _submitted
from genpulse_client import Task

CLOSED = {"properties": {"text": {"type": "string"}, "speed": {"type": "number"}}, "additionalProperties": False}
FREE = {"additionalProperties": True}


def test_words_go_where_the_model_takes_them():
    assert _input(CLOSED, "hi", ["speed=0.9"]) == {"text": "hi", "speed": 0.9}
    assert _input(FREE, "hi", ["n=2", "style=ink"]) == {"prompt": "hi", "n": 2, "style": "ink"}


def test_a_model_without_words_says_what_it_takes():
    with pytest.raises(CommandRefused, match="its input has delay_s"):
        _input({"properties": {"delay_s": {}}}, "hi", [])


def test_a_value_is_read_from_a_file(tmp_path):
    (tmp_path / "flow.json").write_text(json.dumps({"1": {}}))
    assert _input(FREE, None, [f"workflow=@{tmp_path / 'flow.json'}"]) == {"workflow": {"1": {}}}
    (tmp_path / "broken.json").write_text("{")
    for name, word in (("broken.json", "is not JSON"), ("nowhere.json", "cannot be read")):
        with pytest.raises(CommandRefused, match=word):
            _input(FREE, None, [f"workflow=@{tmp_path / name}"])


class Endless:
    """An API whose task goes on."""

    def __init__(self):
        self.watched = asyncio.Event()

    async def submit(self, model, body, *, kind):
        return Task({"id": "0193a1b2-c3d4-7e5f-8a9b-000000000001", "model": model, "status": "running"})

    async def watch(self, task_id):
        self.watched.set()
        await asyncio.Event().wait()
        yield


async def test_whoever_presses_ctrl_c_is_told_where_the_task_is(capsys):
    api = Endless()
    running = asyncio.create_task(_submitted(api, "art/easel", {}, "text-to-image"))
    await api.watched.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    task = "0193a1b2-c3d4-7e5f-8a9b-000000000001"
    assert capsys.readouterr().err == f"Task {task} goes on. Its outputs: genpulse tasks save {task} -o PLACE\n"

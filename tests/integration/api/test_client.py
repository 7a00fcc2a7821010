"""The client of before, by its old name, for one more release."""

import importlib
import sys

import pytest


@pytest.fixture
def before():
    """The module, which says at its import what to use."""
    sys.modules.pop("genpulse.client", None)
    with pytest.warns(DeprecationWarning, match="the package genpulse_client now"):
        return importlib.import_module("genpulse.client")


async def test_it_does_what_it_did(api, before, tmp_path):
    async with before.GenPulse(api.url) as client, api.worker():
        task = await client.generate("art/easel", {"prompt": "a fox"}, metadata={"customer": "acme"})
        assert (await client.task(task.id)).document["metadata"] == {"customer": "acme"}
        path = await client.download(task.outputs[0], tmp_path / "fox.txt")
        assert path.read_text() == "drawing of a fox"
        assert [found.id for found in await client.tasks(status="succeeded")] == [task.id]
        assert [found.id async for found in client.each_task()] == [task.id]
        with pytest.raises(before.ApiRefused, match="nothing"):
            await client.task("nothing")
        with pytest.raises(before.NoId):
            await client.task("../models")


async def test_it_is_a_context_manager_alone(before):
    with pytest.raises(RuntimeError, match="use the client as a context manager"):
        await before.GenPulse().models()

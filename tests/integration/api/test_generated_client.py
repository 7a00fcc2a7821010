"""A client that is generated from the OpenAPI document runs a task from its order to its bytes."""

import asyncio

import pytest

from tests.api_keys import added
from tests.clients.python_client import PACKAGE, environment, generated, use


@pytest.mark.timeout(300)
async def test_a_generated_python_client_runs_a_task(api, tmp_path):
    document = (await api.get("/openapi.json")).json
    folder = await asyncio.to_thread(generated, (await api.get("/openapi.json")).body.decode(), tmp_path)
    calls = {file.stem for file in (folder / PACKAGE / "api").glob("*/*.py")} - {"__init__"}
    assert calls == {call["operationId"] for path in document["paths"].values() for call in path.values()}

    _, headers = await added(api.services.keys)
    async with api.worker():
        process = await asyncio.create_subprocess_exec(
            *use(api.url, headers["Authorization"].removeprefix("Bearer "), "art/easel"),
            env=environment(folder),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "text/plain" in said.decode()

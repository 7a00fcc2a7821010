"""fal's door at a running API, and a caller as fal's clients are."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from genpulse.api.server.uvicorn_protocol import GatheringProtocol
from genpulse.dialects.fal.door import fal_door
from genpulse.dialects.options import DialectOptions
from tests.integration.api.conftest import Answer, Served

APP = "art/easel"
ALIAS = "fal-ai/flux/dev"


@dataclass
class Fal:
    """Calls under `/fal` of an API."""

    api: Served
    headers: dict[str, str]

    async def call(self, method: str, path: str, headers: Any = (), **words: Any) -> Answer:
        answer = await self.api.call(method, f"/fal{path}", headers={**self.headers, **dict(headers)}, **words)
        assert len(answer.headers["X-Fal-Request-Id"]) == 36
        return answer

    async def submit(self, app: str = APP, query: str = "", headers: Any = (), **arguments: Any) -> Answer:
        body = arguments or {"prompt": "a fox"}
        return await self.call("POST", f"/queue/{app}{query}", json=body, headers=headers)

    async def status(self, request_id: str, app: str = APP, query: str = "") -> Answer:
        return await self.call("GET", f"/queue/{app}/requests/{request_id}/status{query}")

    async def result(self, request_id: str, app: str = APP) -> Answer:
        return await self.call("GET", f"/queue/{app}/requests/{request_id}")

    async def cancel(self, request_id: str, app: str = APP) -> Answer:
        return await self.call("PUT", f"/queue/{app}/requests/{request_id}/cancel")

    async def completed(self, request_id: str) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while (status := await self.status(request_id, query="?logs=1")).json["status"] != "COMPLETED":
                await asyncio.sleep(0.01)
        assert status.status == 200
        return status.json

    def as_caller(self, headers: dict[str, str]) -> "Fal":
        return Fal(self.api, headers)


@pytest.fixture
def open_door(serve):
    """Start an API with the door: `await open_door(options, wait_s=…)`."""

    async def start(*arguments, wait_s: float = 30, aliases=None, **words) -> Fal:
        options = DialectOptions(frozenset({"fal"}), {"fal": wait_s}, {ALIAS: APP} if aliases is None else aliases)
        doors = [fal_door(options)]
        return Fal(await serve(*arguments, doors=doors, http=GatheringProtocol, **words), {})

    return start


@pytest.fixture
async def fal(open_door) -> Fal:
    return await open_door()

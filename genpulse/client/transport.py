"""One request and its answer, or the error that stands for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType

import aiohttp

from genpulse.client.errors import ApiRefused, ApiUnreachable

CHUNK_BYTES = 1 << 18


class ResponseContext:
    """A response, once it is known to be one."""

    def __init__(self, request: "aiohttp.client._RequestContextManager", url: str, refuse: bool) -> None:  # noqa: FBT001
        self._request = request
        self._url = url
        self._refuse = refuse

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            response = await self._request.__aenter__()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiUnreachable(self._url, why_unreachable(error)) from error
        if self._refuse and response.status >= 400:
            refusal = await refusal_of(response)
            response.release()
            raise refusal
        return response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._request.__aexit__(kind, error, trace)


def why_unreachable(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__


async def refusal_of(response: aiohttp.ClientResponse) -> ApiRefused:
    text = await response.text()
    try:
        problem = json.loads(text)
    except ValueError:
        return ApiRefused(response.status, "unknown", f"The server answered {response.status}: {text[:200]}")
    places = tuple(
        (item.get("pointer") or item.get("parameter") or "", item.get("detail", ""))
        for item in problem.get("errors", ())
    )
    detail = problem.get("detail") or problem.get("title") or "refused"
    return ApiRefused(response.status, problem.get("code", "unknown"), detail, places)


async def chunks_of(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk

"""Calls of the API, sent again where that is safe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from genpulse_client.address import Address
from genpulse_client.answer import document_of, refusal_of
from genpulse_client.errors import GenPulseError
from genpulse_client.request import Request
from genpulse_client.retry import Retries, RetryLimits
from genpulse_client.session import AsyncSession, unreachable_by


class AsyncConnection:
    """`silence_s` is for how many seconds a server may be silent before its connection counts as lost."""

    def __init__(self, address: Address, limits: RetryLimits, silence_s: float) -> None:
        self.address = address
        self.limits = limits
        self.silence_s = silence_s
        self.session = AsyncSession(address, silence_s)

    async def aclose(self) -> None:
        """Close what is open. A later call opens it again."""
        await self.session.aclose()

    async def document(self, request: Request, **sending: Any) -> Any:
        """The JSON of the answer; None where it has no body."""
        retries = Retries(request, self.limits)
        while True:
            try:
                async with self.response(request, **sending) as response:
                    body = await response.aread()
                    return document_of(self.address.url, response.status_code, response.headers, body)
            except GenPulseError as error:
                pause_s = retries.pause_s(error)
                if pause_s is None:
                    raise
            await self.session.sleep(pause_s)

    @asynccontextmanager
    async def response(
        self, request: Request, *, refuse: bool = True, **sending: Any
    ) -> AsyncIterator[httpx.Response]:
        """The response to one try, of which the body is still to be read. Errors of the connection become ours."""
        try:
            response = await self.session.send(request, **sending)
        except httpx.HTTPError as error:
            raise unreachable_by(error, self.address.url) from error
        try:
            if refuse and not response.is_success:
                body = await response.aread()
                raise refusal_of(self.address.url, response.status_code, response.headers, body)
            yield response
        except httpx.HTTPError as error:
            raise unreachable_by(error, self.address.url) from error
        finally:
            await self.session.end(response)

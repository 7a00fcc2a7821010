# Made from asynchronous/connection.py by make_synchronous.py: change it there.
"""Calls of the API, sent again where that is safe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from genpulse_client.address import Address
from genpulse_client.answer import document_of, refusal_of
from genpulse_client.errors import GenPulseError
from genpulse_client.request import Request
from genpulse_client.retry import Retries, RetryLimits
from genpulse_client.session import Session, unreachable_by


class Connection:
    """`silence_s` is for how many seconds a server may be silent before its connection counts as lost."""

    def __init__(self, address: Address, limits: RetryLimits, silence_s: float) -> None:
        self.address = address
        self.limits = limits
        self.silence_s = silence_s
        self.session = Session(address, silence_s)

    def close(self) -> None:
        """Close what is open. A later call opens it again."""
        self.session.close()

    def document(self, request: Request, **sending: Any) -> Any:
        """The JSON of the answer; None where it has no body."""
        retries = Retries(request, self.limits)
        while True:
            try:
                with self.response(request, **sending) as response:
                    body = response.read()
                    return document_of(self.address.url, response.status_code, response.headers, body)
            except GenPulseError as error:
                pause_s = retries.pause_s(error)
                if pause_s is None:
                    raise
            self.session.sleep(pause_s)

    @contextmanager
    def response(self, request: Request, *, refuse: bool = True, **sending: Any) -> Iterator[httpx.Response]:
        """The response to one try, of which the body is still to be read. Errors of the connection become ours."""
        try:
            response = self.session.send(request, **sending)
        except httpx.HTTPError as error:
            raise unreachable_by(error, self.address.url) from error
        try:
            if refuse and not response.is_success:
                body = response.read()
                raise refusal_of(self.address.url, response.status_code, response.headers, body)
            yield response
        except httpx.HTTPError as error:
            raise unreachable_by(error, self.address.url) from error
        finally:
            self.session.end(response)

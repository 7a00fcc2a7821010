"""Who may call."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from genpulse.api.errors import AuthenticationRequired, ForeignEnvironment
from genpulse.ports import EnvironmentFacts


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `owner` is the API key's id, empty where no key is needed."""

    owner: str = ""


class Access(Protocol):
    """Decides about every call under `/v1`."""

    async def admit(self, connection: HTTPConnection) -> Caller:
        """Raises `AuthenticationRequired`, `ForeignEnvironment`."""


@dataclass(frozen=True, slots=True)
class LoopbackAccess:
    """In the environment `dev` calls from this machine need no key; no other call is admitted.

    A browser that was led here by a page of another site does not count as this machine: its Host or Origin
    gives it away. `public_host` is a host name under which this service is meant to be reached.
    """

    environment: EnvironmentFacts
    api_key_prefixes: Mapping[str, str]
    public_host: str | None = None

    async def admit(self, connection: HTTPConnection) -> Caller:
        """Raises `AuthenticationRequired`, `ForeignEnvironment`."""
        self._refuse_foreign(_bearer(connection))
        if self.environment.name != "dev":
            raise AuthenticationRequired(
                f"The environment {self.environment.name!r} takes calls only with an API key:"
                f" `Authorization: Bearer {self.environment.api_key_prefix}…`."
            )
        if not self._is_local(connection):
            raise AuthenticationRequired(
                "Without an API key only calls from this machine are taken, to a loopback address."
            )
        return Caller()

    def _refuse_foreign(self, token: str) -> None:
        for prefix, environment in self.api_key_prefixes.items():
            if token.startswith(prefix) and environment != self.environment.name:
                raise ForeignEnvironment(environment, self.environment.name)

    def _is_local(self, connection: HTTPConnection) -> bool:
        client = connection.client
        origin = connection.headers.get("origin")
        return (
            client is not None
            and is_loopback(client.host)
            and self._is_ours(f"//{connection.headers.get('host', 'localhost')}")
            and (origin is None or self._is_ours(origin))
        )

    def _is_ours(self, url: str) -> bool:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return is_loopback(host) or host == self.public_host


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a host name or an address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _bearer(connection: HTTPConnection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""

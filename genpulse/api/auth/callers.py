"""Callers: loopback access without a key, and the bearer token."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from genpulse.api.errors import AuthenticationRequired, ForeignEnvironment, InsufficientScope
from genpulse.domain.api_key import ApiKey, Scope
from genpulse.domain.task import Priority
from genpulse.ports import EnvironmentFacts


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `owner` is the id of the API key `key`, empty where no key is needed."""

    owner: str = ""
    key: ApiKey | None = None

    @property
    def sees_all(self) -> bool:
        """Whether tasks and assets of others are there for this caller."""
        return self.key is None or self.key.allows(Scope.ADMIN)

    @property
    def usual_priority(self) -> Priority:
        """Of a task that asks for none."""
        return self.key.limits.usual_priority if self.key else Priority.NORMAL

    def sees(self, owner: str) -> bool:
        """Whether what belongs to this owner is there for this caller."""
        return self.sees_all or owner == self.owner

    def require(self, scope: Scope) -> None:
        """Raises `InsufficientScope`."""
        if self.key is not None and not self.key.allows(scope):
            raise InsufficientScope(scope, sorted(self.key.scopes))


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
        self.refuse_foreign(connection)
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

    def refuse_foreign(self, connection: HTTPConnection) -> None:
        """Raises `ForeignEnvironment` for a key of another environment, which its prefix gives away."""
        token = bearer_of(connection)
        if not token:
            return
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


def bearer_of(connection: HTTPConnection) -> str:
    """The API key of a call, empty where there is none."""
    authorization = connection.headers.get("authorization")
    if not authorization:
        return ""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""

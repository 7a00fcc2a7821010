"""Calls from this machine, which need no API key in the environment `dev`."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from genpulse.api.errors import AuthenticationRequired
from genpulse.ports import EnvironmentFacts


@dataclass(frozen=True, slots=True)
class LoopbackAccess:
    """Lets calls from this machine in without a key, in the environment `dev` alone.

    A browser that was led here by a page of another site does not count as this machine: its Host or Origin
    gives it away. `public_host` is a host name under which this service is meant to be reached.
    """

    environment: EnvironmentFacts
    public_host: str | None = None

    def check(self, connection: HTTPConnection) -> None:
        """Raises `AuthenticationRequired` where the call needs a key."""
        if self.environment.name != "dev":
            raise AuthenticationRequired(
                f"The environment {self.environment.name!r} takes calls only with an API key:"
                f" `Authorization: Bearer {self.environment.api_key_prefix}…`."
            )
        if not self._is_local(connection):
            raise AuthenticationRequired(
                "Without an API key only calls from this machine are taken, to a loopback address."
            )

    def _is_local(self, connection: HTTPConnection) -> bool:
        client, headers = connection.client, connection.headers
        return client is not None and _is_local_call(
            client.host, headers.get("host", "localhost"), headers.get("origin"), self.public_host
        )


@lru_cache(maxsize=1024)
def _is_local_call(client: str, host: str, origin: str | None, public_host: str | None) -> bool:
    addresses = [f"//{host}"] if origin is None else [f"//{host}", origin]
    return is_loopback(client) and all(_is_ours(address, public_host) for address in addresses)


def _is_ours(url: str, public_host: str | None) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return is_loopback(host) or host == public_host


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

"""What each client has to be told to call here, and nothing else of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from genpulse.dev.state import CA_VARIABLE

NODE_CA_VARIABLE = "NODE_EXTRA_CA_CERTS"
NAMES = ("replicate", "fal", "openai")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where the API is: by http, by https, or by both. `ca_file` is whom clients have to trust for https."""

    http_url: str | None
    https_url: str | None
    ca_file: str | None = None

    @property
    def safe_url(self) -> str:
        """By https where that can be had."""
        return self.https_url or self.http_url or ""

    @property
    def plain_url(self) -> str:
        """By http where that can be had, which needs no trust."""
        return self.http_url or self.https_url or ""

    def trust(self, url: str, variable: str = CA_VARIABLE) -> Mapping[str, str]:
        """What lets a client trust this address."""
        return {variable: self.ca_file} if self.ca_file and url == self.https_url else {}


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The settings of one client: variables of its environment, or `code` where it has none for that.

    `lacks` says what has to be there first.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """The clients of a door. `key_variable` is where they look for the API key; the first one is the usual."""

    name: str
    key_variable: str
    clients: tuple[ClientSettings, ...]

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the usual client, but for the key."""
        return self.clients[0].environment


def door_settings(place: ServiceAddress) -> tuple[DoorSettings, ...]:
    """Of all doors."""
    return _replicate(place), _fal(place), _openai(place)


def _replicate(place: ServiceAddress) -> DoorSettings:
    base = f"{place.safe_url}/replicate"
    trust, node_trust = place.trust(place.safe_url), place.trust(place.safe_url, NODE_CA_VARIABLE)
    lacks = "" if place.https_url else "Over http its files come as plain addresses, not as FileOutput."
    return DoorSettings(
        "replicate",
        "REPLICATE_API_TOKEN",
        (
            ClientSettings("Python, replicate 1", {"REPLICATE_BASE_URL": base, **trust}, lacks=lacks),
            ClientSettings("Python, replicate 2", {"REPLICATE_BASE_URL": f"{base}/v1", **trust}, lacks=lacks),
            ClientSettings("JavaScript", node_trust, f'new Replicate({{baseUrl: "{base}/v1"}})'),
        ),
    )


def _fal(place: ServiceAddress) -> DoorSettings:
    parts = urlsplit(place.safe_url)
    host = f"{parts.netloc}{parts.path}"
    lacks = "" if place.https_url else "It speaks https alone: start the stack by `genpulse dev --tls`."
    environment = {
        "FAL_RUN_HOST": f"{host}/fal/run",
        "FAL_QUEUE_RUN_HOST": f"{host}/fal/queue",
        **place.trust(place.safe_url),
    }
    url = f"{place.plain_url}/fal/proxy"
    code = f'createFalClient({{proxyUrl: {{url: "{url}", when: "always"}}, credentials: process.env.FAL_KEY}})'
    return DoorSettings(
        "fal",
        "FAL_KEY",
        (
            ClientSettings("Python", environment, lacks=lacks),
            ClientSettings("JavaScript", place.trust(place.plain_url, NODE_CA_VARIABLE), code),
        ),
    )


def _openai(place: ServiceAddress) -> DoorSettings:
    environment = {"OPENAI_BASE_URL": f"{place.plain_url}/openai/v1"}
    return DoorSettings(
        "openai",
        "OPENAI_API_KEY",
        (
            ClientSettings("Python", {**environment, **place.trust(place.plain_url)}),
            ClientSettings("JavaScript", {**environment, **place.trust(place.plain_url, NODE_CA_VARIABLE)}),
        ),
    )

"""Options of the HTTP API: limits, timeouts, public address."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Limits are in bytes. A body may pause for `body_idle_s` seconds, an asset's address lasts `asset_url_s`,
    that of a task's events `events_url_s`, and `Prefer: wait` is answered after `longest_wait_s` at the latest. A
    client has `connections_per_peer` connections at most, unless it is one of the `trusted_proxies` (addresses or
    networks, with commas; `*`: all).

    With `traces_requests` each request is noted by `Services.tracing`.

    Web pages of `cors_origins` may call it from a browser, of all where `*` is among them.

    `public_url` is where callers reach this service; None is whatever they asked.

    `api_key_prefixes` names the environment of every prefix that an API key may have, so that a key of
    another environment is refused with a message that says so.
    """

    body_limit_bytes: int = 1 << 20
    upload_limit_bytes: int = 2 << 30
    public_url: str | None = None
    version: str = "0"
    api_key_prefixes: Mapping[str, str] = field(default_factory=dict)
    keep_alive_s: float = 15.0
    body_idle_s: float = 30.0
    asset_url_s: int = 86_400
    events_url_s: int = 3600
    cors_origins: frozenset[str] = frozenset()
    longest_wait_s: int = 25
    connections_per_peer: int = 256
    trusted_proxies: str = ""
    traces_requests: bool = False

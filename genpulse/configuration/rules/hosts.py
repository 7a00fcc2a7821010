"""Whether an address names this machine, a vendor or somebody else."""

import ipaddress
import re
from urllib.parse import unquote

from pydantic import SecretStr

from genpulse.addresses.url import Url
from genpulse.configuration.rules.secret_values import text_of

_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", ""})


def hosts_of(address: SecretStr | None) -> tuple[str, ...]:
    """Every host that an address names; several are separated by commas, or given as `host=` in its query."""
    text = text_of(address)
    if not text:
        return ()
    url = Url.of(text)
    from_query = [host for name, value in url.query if name == "host" for host in value.split(",")]
    hosts = [re.sub(r":\d*$", "", unquote(host)) for host in (*url.hosts, *from_query) if host or not from_query]
    return tuple(host for host in hosts if host or len(hosts) == 1)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine; a path or nothing is a socket on it."""
    if host.lower() in _LOOPBACK_NAMES or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_service_name(host: str) -> bool:
    """A single word, as containers beside this one are called."""
    return re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_-]*", host) is not None

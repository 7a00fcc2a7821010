"""The rule about web pages that may call the API."""

import re
from collections.abc import Iterator

from genpulse.configuration.settings import Settings

_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")


def origins(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield faults of `api.cors_origins`."""
    key = "api.cors_origins"
    for origin in settings.api.origins:
        if origin == "*" and not settings.environment.spawns_services:
            yield (
                key,
                (
                    f"* lets the page of any site call the API, and {settings.environment.dynaconf} names them:"
                    " write each as a browser does, such as https://app.example.com"
                ),
            )
        elif origin != "*" and not _ORIGIN.fullmatch(origin):
            yield (
                key,
                (
                    f"{origin!r} is no origin as a browser writes it: a scheme, a host in small letters and"
                    " perhaps a port, without a path, such as https://app.example.com"
                ),
            )

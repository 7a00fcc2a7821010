"""Where GenPulse is, and with which key it is asked."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from genpulse_client.errors import InvalidId

DEFAULT_URL = "http://127.0.0.1:8000"
URL_VARIABLE = "GENPULSE_URL"
KEY_VARIABLE = "GENPULSE_API_KEY"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Address:
    """`url` has no slash at its end. An environment's proxies are for others than this machine."""

    url: str
    api_key: str | None = field(default=None, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return urlsplit(self.url).hostname in _LOOPBACK

    @property
    def headers(self) -> dict[str, str]:
        """What each request says about its caller."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}


def address_of(url: str | None, api_key: str | None) -> Address:
    """The address that is given, else that of GENPULSE_URL, else this machine's; the key likewise.

    Raises `ValueError` for what is no address or no key.
    """
    base_url = (url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).strip().rstrip("/")
    _check_url(base_url)
    key = os.environ.get(KEY_VARIABLE) if api_key is None else api_key
    key = key.strip() if key else None
    if key and any(not "!" <= character <= "~" for character in key):
        raise ValueError(
            "The API key has characters that no key has. Give it as `genpulse keys create` has shown it."
        )
    return Address(base_url, key)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{url!r} is no address of GenPulse: give one such as {DEFAULT_URL}.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("The address of GenPulse has no user, query or fragment. Give the key as api_key.")


def path_part(text: str, *, several: bool = False) -> str:
    """A name as a part of a path, or as several. Raises `InvalidId` for what would lead to another path."""
    parts = text.split("/")
    if any(part in {"", ".", ".."} for part in parts) or (len(parts) > 1 and not several):
        raise InvalidId(text)
    return text

"""How a value is shown: secrets never, of a URL as much as helps and no password."""

import re
from urllib.parse import urlsplit

from pydantic import SecretStr

from genpulse.configuration.schema import find

HIDDEN = "********"
_SECRET_NAME = re.compile(
    r"key|token|secret|passw(?:or)?d|passphrase|pwd|credential|authorization|bearer|dsn", re.IGNORECASE
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def shown(key: str, value: object) -> str | int | float | bool | None:
    """The value of a dotted key as anybody may read it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return None
    if is_secret(key):
        return _address(str(value)) if key.endswith("url") else HIDDEN
    return value if isinstance(value, bool | int | float) else _without_password(str(value))


def is_secret(key: str) -> bool:
    """By the schema; what a provider reads besides, by its name."""
    known = find(key)
    if known is None or known.key.endswith(".options"):
        return has_secret_name(key.rpartition(".")[2])
    return known.secret


def has_secret_name(name: str) -> bool:
    """Whether what is called so is usually a secret."""
    return _SECRET_NAME.search(name) is not None


def _address(url: str) -> str:
    """Scheme, host and path of a URL; user, password and query may hold secrets."""
    if not _URL.fullmatch(url):
        return HIDDEN
    parts = urlsplit(url)
    user = f"{HIDDEN}@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}" + ("?…" if parts.query else "")


def _without_password(text: str) -> str:
    return re.sub(r"(://)[^/\s@]+@", rf"\1{HIDDEN}@", text)

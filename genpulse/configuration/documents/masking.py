"""Masking of secret values."""

import re

from pydantic import SecretStr

from genpulse.addresses.authority import split, wrong_authority
from genpulse.addresses.url import Url
from genpulse.configuration.schema import find

HIDDEN = "********"
_MISREAD = "@[]"
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
    """Whether a key is secret: by the schema; what a provider reads besides, by its name."""
    setting = find(key)
    if setting is None or setting.key.endswith(".options"):
        return has_secret_name(key.rpartition(".")[2])
    return setting.secret


def has_secret_name(name: str) -> bool:
    """Whether what is called so is usually a secret."""
    return _SECRET_NAME.search(name) is not None


def _address(url: str) -> str:
    """Scheme, host and path of a URL; user, password and query may hold secrets.

    Nothing of one is shown whose password ends who knows where, such as one with a slash in it.
    """
    if not _URL.fullmatch(url) or wrong_authority(url.partition("://")[2], _MISREAD):
        return HIDDEN
    read = Url.of(url)
    login = "" if read.login is None else f"{HIDDEN}@"
    return f"{read.scheme}://{login}{','.join(read.hosts)}{read.path}" + ("?…" if read.query.raw else "")


def _without_password(text: str) -> str:
    """A text with an address in it, of which what stands before its last `@` and its query are hidden."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    _, at, behind = rest.rpartition("@") if split(rest)[0] else ("", "", rest)
    place, query, _ = behind.partition("?")
    return f"{scheme}://" + (f"{HIDDEN}@" if at else "") + place + ("?…" if query else "")

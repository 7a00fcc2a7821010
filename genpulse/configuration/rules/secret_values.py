"""The text of secrets, for rules that look at it and never show it."""

from collections.abc import Iterator

from pydantic import SecretStr

from genpulse.configuration.schema import ANY_PROVIDER, keys
from genpulse.configuration.settings import Settings


def secrets_of(settings: Settings) -> Iterator[tuple[str, str]]:
    """Key and text of every secret that is set."""
    for setting in keys():
        if setting.secret:
            names = settings.providers.named if ANY_PROVIDER in setting.key else ("",)
            for name in names:
                key = setting.key.replace(ANY_PROVIDER, name)
                if text := text_of(_read(settings, key)):
                    yield key, text


def text_of(secret: object) -> str:
    """Empty where it is not set."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else ""


def _read(settings: Settings, key: str) -> object:
    parts = key.split(".")
    if parts[0] == "providers":
        return getattr(settings.providers.named[parts[1]], parts[2])
    value: object = settings
    for part in parts:
        value = getattr(value, part)
    return value

"""The keys that there are, as the typed settings declare them."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from genpulse.configuration.settings import Providers, ProviderSection, Settings

FOUND = frozenset({"environment", "decided_by", "root", "proxies"})
"""Fields of the settings that are found and not configured."""
ANY_PROVIDER = "<name>"


@dataclass(frozen=True, slots=True)
class Key:
    """A setting: its dotted key, with `<name>` for a provider's, and what is known about it."""

    key: str
    kind: str
    default: object
    meaning: str
    secret: bool

    @property
    def section(self) -> str:
        """The part before the last dot."""
        return self.key.rpartition(".")[0]


@cache
def keys() -> tuple[Key, ...]:
    """All keys, in the order of the typed settings."""
    return tuple(_keys())


@cache
def sections() -> dict[str, str]:
    """The description of each section, by its dotted key."""
    texts = {name: (model.__doc__ or "").strip() for name, model in _models() if name}
    return {**texts, f"providers.{ANY_PROVIDER}": (ProviderSection.__doc__ or "").strip()}


OPEN = ("options", "models")
"""What a provider has below these names is the provider's own matter."""

ROUTES = "routes"
"""What stands below it has names of its own, and is looked at as a whole."""


ALIASES = "doors.aliases"


def is_open(key: str) -> bool:
    """Whether any name may stand below this setting."""
    return key in {ROUTES, ALIASES} or (key.rpartition(".")[2] in OPEN and key.startswith("providers."))


def find(key: str) -> Key | None:
    """The setting of a dotted key, a provider's name standing for itself; None when there is none."""
    pattern = _pattern(key)
    return next((setting for setting in keys() if setting.key == pattern), None)


def _pattern(key: str) -> str:
    parts = key.split(".")
    if parts[0] == ROUTES:
        return ROUTES
    if key.startswith(f"{ALIASES}."):
        return ALIASES
    if parts[0] == "providers" and len(parts) > 2:
        parts[1] = ANY_PROVIDER
        parts = parts[:3] if parts[2] in OPEN else parts
    return ".".join(parts)


def _models() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "", Settings
    for name, field in Settings.model_fields.items():
        if name not in FOUND and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def _keys() -> Iterator[Key]:
    for section, model in _models():
        for name, field in model.model_fields.items():
            if name not in FOUND and not _is_section(field):
                yield _key(f"{section}.{name}" if section else name, field)
        if model is Providers:
            for name, field in ProviderSection.model_fields.items():
                yield _key(f"{section}.{ANY_PROVIDER}.{name}", field)


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _key(key: str, field: FieldInfo) -> Key:
    alternatives = _alternatives(field.annotation)
    default = field.get_default(call_default_factory=False)
    limits = "".join(f", {limit}" for limit in _limits(field))
    kind = " or ".join(_word(part) for part in alternatives if part is not type(None)) + limits
    return Key(key, kind, default, field.description or "", SecretStr in alternatives)


def _alternatives(annotation: object) -> tuple[object, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else (annotation,)


def _word(part: object) -> str:
    if get_origin(part) is Literal:
        return ", ".join(map(str, get_args(part)))
    words = {
        "str": "text",
        "SecretStr": "secret",
        "bool": "true or false",
        "int": "whole number",
        "float": "number",
    }
    name = getattr(part, "__name__", str(part))
    return {**words, "Decimal": "number", "Path": "folder", "dict": "section"}.get(name, name)


def _limits(field: FieldInfo) -> Iterator[str]:
    for limit in field.metadata:
        for sign, word in (("ge", "at least"), ("gt", "more than"), ("le", "at most")):
            if (bound := getattr(limit, sign, None)) is not None:
                yield f"{word} {bound}"

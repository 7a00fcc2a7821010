"""Groups of settings as programs read them that know Dynaconf: typed, and not to be changed."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from genpulse.configuration.documents.masking import shown
from genpulse.configuration.dynaconf_view.unchanging import refusing
from genpulse.configuration.schema import FOUND
from genpulse.configuration.settings import Providers, Settings


class Section(dict[str, Any]):
    """A group of settings: `section.port`, `section.PORT` and `section["port"]` are the same."""

    def __getitem__(self, name: str) -> Any:
        """Raises `KeyError`."""
        return super().__getitem__(_as_written(self, name))

    def __getattr__(self, name: str) -> Any:
        """Raises `AttributeError`."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{name} is not a setting of this section; it has {', '.join(self)}") from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(_as_written(self, name))

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default

    __setattr__ = refusing("a change")
    __delattr__ = refusing("a change")
    __setitem__ = refusing("a change")
    __delitem__ = refusing("a change")
    __ior__ = refusing("a change")

    def __repr__(self) -> str:
        """As logs and tracebacks may show it: secrets are masked."""
        return f"{{{', '.join(f'{name!r}: {_masked(name, value)!r}' for name, value in self.items())}}}"

    def __copy__(self) -> "Section":
        return self

    def __deepcopy__(self, _seen: object) -> "Section":
        return self

    def __reduce__(self) -> tuple[type["Section"], tuple[dict[str, Any]]]:
        return Section, (dict(self),)

    update = refusing("update")
    setdefault = refusing("setdefault")
    pop = refusing("pop")
    popitem = refusing("popitem")
    clear = refusing("clear")


def section_of(settings: Settings) -> Section:
    """All settings, with the topmost names in capitals as Dynaconf writes them."""
    names = [name for name in Settings.model_fields if name not in FOUND]
    values = Section({name.upper(): _opened(getattr(settings, name)) for name in names})
    redis = Section({**values["REDIS"], "key_prefix": settings.key_prefix})
    return Section({**values, "REDIS": redis})


def _opened(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Providers):
        return Section({"paid": value.paid, **{name: _opened(each) for name, each in value.named.items()}})
    if isinstance(value, BaseModel):
        return Section({name: _opened(getattr(value, name)) for name in type(value).model_fields})
    if isinstance(value, Mapping):
        return Section({name: _opened(each) for name, each in value.items()})
    return value


def _masked(name: str, value: object) -> object:
    """A section masks what is in it; numbers and switches stay what they are."""
    return shown(name.lower(), value) if isinstance(value, str) else value


def plain(section: Section) -> dict[str, Any]:
    """A copy as dictionaries that the caller may change."""
    return {name: plain(value) if isinstance(value, Section) else value for name, value in section.items()}


def _as_written(section: Mapping[str, object], name: str) -> str:
    """The name as the section writes it; case does not matter."""
    for candidate in (name, name.lower(), name.upper()):
        if dict.__contains__(section, candidate):
            return candidate
    return name

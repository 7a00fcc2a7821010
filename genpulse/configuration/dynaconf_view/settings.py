"""The settings as a Dynaconf object, for programs that read them so: typed, complete, and not to be changed."""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from dynaconf import Dynaconf, Validator
from dynaconf.base import Settings as Changing  # type: ignore[import-untyped]
from dynaconf.utils.parse_conf import parse_conf_data  # type: ignore[import-untyped]
from dynaconf.validator import ValidatorList  # type: ignore[import-untyped]

from genpulse.configuration.dynaconf_view.section import Section, plain, section_of
from genpulse.configuration.dynaconf_view.unchanging import SettingsDoNotChange, refusing
from genpulse.configuration.settings import Settings

_READING = frozenset({"current_env", "is_overridden", "as_bool", "as_int", "as_float"})
"""What Dynaconf offers beside values, and what reads alone."""
_CHANGING = frozenset(name for name in dir(Changing) if not name.startswith("_")) - _READING
_OWN = frozenset({"_wrapped", "_kwargs", "_wrapper_class"})
"""What Dynaconf sets while it is made."""
_UNSAID: Any = object()


class Validators(ValidatorList):  # type: ignore[misc]
    """The rules that settings obey. Rules of others are asked by `Validator(…).validate(settings)`."""

    register = refusing("register")
    append = refusing("append")
    extend = refusing("extend")
    insert = refusing("insert")
    remove = refusing("remove")
    pop = refusing("pop")
    clear = refusing("clear")
    sort = refusing("sort")
    reverse = refusing("reverse")
    __setitem__ = refusing("a change")
    __delitem__ = refusing("a change")
    __iadd__ = refusing("a change")
    __imul__ = refusing("a change")


class FrozenSettings(Dynaconf):  # type: ignore[misc]
    """Every setting with the type that the schema gives it, defaults and `REDIS.KEY_PREFIX` among them.

    Its validators are in it, and nothing of Dynaconf's own is among the values. A setting that has to be there
    and is not raises `dynaconf.ValidationError` where it is read.
    """

    def __init__(self, settings: Settings, validators: Sequence[Validator]) -> None:
        values = section_of(settings)
        super().__init__(
            environments=True,
            env_switcher="ENV_FOR_DYNACONF",
            force_env=settings.environment.dynaconf,
            load_dotenv=False,
            loaders=[],
            auto_cast=False,
            dynaconf_skip_validators=True,
            post_hooks=[lambda: plain(values)],
        )
        super().configure()
        self.__dict__["_values"] = values
        self.__dict__["validators"] = Validators(self, list(validators))

    def __getattr__(self, name: str) -> Any:
        """A setting, or what of Dynaconf reads alone. Raises `ValidationError`, `AttributeError`."""
        if self._value_of(name) is not _UNSAID:
            return self[name]
        if name in _READING:
            return super().__getattr__(name)
        if name in _CHANGING:
            raise SettingsDoNotChange(name)
        raise AttributeError(f"{name} is not a setting; `genpulse config show` lists all of them")

    def __getitem__(self, name: str) -> Any:
        """A setting; a dot or `__` goes one level down. Raises `ValidationError`, `KeyError`."""
        value = self._value_of(name)
        if value is _UNSAID:
            raise KeyError(name)
        if value is None:
            self.validators.validate(only=[name.lower()])
        return value

    def _value_of(self, name: object) -> Any:
        value: Any = self._values
        for part in str(name).replace("__", ".").split("."):
            value = value.get(part, _UNSAID) if isinstance(value, Section) else _UNSAID
        return value

    def get(self, name: str, default: Any = None, cast: Any = None, **_how: object) -> Any:
        """A setting, or `default` where there is none or it is empty.

        `cast` is Dynaconf's, such as `@int`; its other options change nothing where nothing changes.
        """
        value = self._value_of(name)
        if value is _UNSAID or value is None:
            return default
        return parse_conf_data(f"{cast} {value}", tomlfy=True) if cast else value

    def exists(self, name: str, **_how: object) -> bool:
        """Whether a setting has a value."""
        return self._value_of(name) not in (_UNSAID, None)

    def as_dict(self, env: str | None = None, internal: object = None) -> dict[str, Any]:  # noqa: ARG002
        """Every setting, secrets among them. Nothing internal is there. Raises `SettingsDoNotChange`."""
        if env is not None and env.lower() != self.current_env:
            raise SettingsDoNotChange(f"as_dict of {env}")
        return plain(self._values)

    to_dict = as_dict

    def keys(self) -> Iterator[str]:
        """The topmost names."""
        return iter(self._values)

    def values(self) -> Iterator[Any]:
        """The values under the topmost names."""
        return iter(self._values.values())

    def items(self) -> Iterator[tuple[str, Any]]:
        """Both."""
        return iter(self._values.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return self._value_of(name) is not _UNSAID

    def __dir__(self) -> list[str]:
        return sorted(
            {*self._values, *_READING, "as_dict", "exists", "get", "items", "keys", "validators", "values"}
        )

    def __copy__(self) -> "FrozenSettings":
        return self

    def __deepcopy__(self, _seen: object) -> "FrozenSettings":
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Raises `TypeError`."""
        raise TypeError(
            "settings are not sent to other processes: there, too, `from genpulse.config import settings`"
        )

    configure = refusing("configure")

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _OWN or "_values" in self.__dict__:
            raise SettingsDoNotChange(name)
        super().__setattr__(name, value)

    __delattr__ = refusing("a change")

    def __setitem__(self, name: str, value: object) -> None:
        """Dynaconf's validators put back what they have read. Raises `SettingsDoNotChange` for anything else."""
        if self._value_of(name) != value:
            raise SettingsDoNotChange("a change")

    __delitem__ = refusing("a change")

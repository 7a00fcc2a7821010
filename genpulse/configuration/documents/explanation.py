"""Explains where the value of a setting comes from, layer by layer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from genpulse.configuration.documents.masking import shown
from genpulse.configuration.rules.provider_options import OPTIONS
from genpulse.configuration.schema import ALIASES, Key, find, keys
from genpulse.configuration.sources.layers import leaves, value_of
from genpulse.configuration.sources.reading import Reading, read
from genpulse.configuration.sources.variables import PREFIX

Shown = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class LayerValue:
    """The value of a key in one layer; `value` is masked, `place` is empty where the layer does not set it."""

    layer: str
    value: Shown
    place: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A setting, the four layers, and the one that wins; that is empty when the code's default holds."""

    key: str
    setting: Key
    layers: tuple[LayerValue, ...]
    winner: str

    @property
    def value(self) -> Shown:
        """The value in force."""
        value = next((each.value for each in self.layers if each.layer == self.winner), None)
        return value if self.winner else shown(self.key, default_of(self.setting))


def default_of(setting: Key) -> object:
    """The default of the code; None for one that is made anew each time."""
    return setting.default if isinstance(setting.default, str | int | float | bool) else None


def dotted(key: str) -> str:
    """A key that somebody has typed, also as the variable that sets it."""
    return key.strip().lower().removeprefix(PREFIX.lower()).replace("__", ".")


def explain(key: str, folder: Path | None, process: Mapping[str, str]) -> Explanation | None:
    """Explain a setting; None when there is none. Raises `EnvironmentProblem`, `ConfigurationError`."""
    key = dotted(key)
    setting = find(key)
    return None if setting is None else _explained(key, setting, read(folder, process))


def explain_all(folder: Path | None, process: Mapping[str, str]) -> tuple[Explanation, ...]:
    """Explain every setting, and each provider's that some layer names. Aliases may have dots in their names."""
    reading = read(folder, process)
    provider_keys = [key for key in leaves(reading.values) if find(key) and not key.startswith(f"{ALIASES}.")]
    fixed = [setting.key for setting in keys() if "<" not in setting.key]
    names = sorted({*provider_keys, *fixed}, key=lambda key: (key.count(".") > 0, key))
    return tuple(_explained(key, setting, reading) for key in names if (setting := find(key)))


def _explained(key: str, setting: Key, reading: Reading) -> Explanation:
    layers = tuple(
        LayerValue(layer.name, shown(key, layer.get(key)), layer.place(key) if layer.get(key) is not None else "")
        for layer in reading.layers
    )
    sources = [each.name for each in reading.layers if value_of(each.values, key) is not None]
    return Explanation(key, _of_option(key, setting), layers, sources[-1] if sources else "")


def _of_option(key: str, setting: Key) -> Key:
    """Complete the key of a provider's option by its kind and meaning."""
    section, _, name = key.rpartition(".")
    option = next((one for one in OPTIONS if one.name == name), None) if section.endswith(".options") else None
    return setting if option is None else replace(setting, kind=option.kind.value, meaning=option.meaning)

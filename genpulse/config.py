"""Configuration: layers, each over the one before, then frozen into typed `Settings`.

The layers are `config.yaml [default]`, `config.yaml [environment]`, `.env`, environment variables. Dictionaries
merge key by key, all else replaces. A project is the current folder, or the nearest one above it, that holds
`config/config.yaml`; without one the defaults inside the package are used, and `.env` of the current folder.

Environment variables begin with `GENPULSE_`, and `__` goes one level down: `GENPULSE_REDIS__URL` is `redis.url`.
They stay the text that was written; the type of the setting alone decides what it means.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genpulse.environment.resolve import Resolved, resolve

if TYPE_CHECKING:
    from dynaconf import Dynaconf

    from genpulse.settings import Settings

PREFIX = "GENPULSE_"
EXIT_CODE = 78
SECTIONS = ("default", "development", "testing", "production")
_DEFAULTS = (Path("config/config.yaml"), Path("genpulse/defaults/config.yaml"))


class ConfigurationError(Exception):
    """Everything that is wrong with the configuration, one line a problem, never with the value of a secret."""

    exit_code = EXIT_CODE

    def __init__(self, environment: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The configuration of {environment} has {len(problems)} problem(s):\n{listed}")


@dataclass(frozen=True, slots=True)
class Layer:
    """A place that sets keys: its name, where it is, and its values as a nested mapping."""

    name: str
    source: str
    values: Mapping[str, Any]


def project_root(folder: Path) -> Path | None:
    """The nearest folder, upwards, that holds `config/config.yaml`."""
    for candidate in (folder, *folder.parents):
        if (candidate / "config/config.yaml").is_file():
            return candidate
    return None


def read_dotenv(root: Path) -> tuple[str, Mapping[str, str | None]]:
    """The path of `.env` and what it sets. Nothing of it reaches the process environment."""
    from dotenv import dotenv_values

    path = root / ".env"
    return str(path), dotenv_values(path, interpolate=False) if path.is_file() else {}


def find_environment(folder: Path | None = None, process: Mapping[str, str] | None = None) -> Resolved:
    """The environment alone, without the rest. Raises `EnvironmentProblem`."""
    folder = folder or Path.cwd()
    path, dotenv = read_dotenv(project_root(folder) or folder)
    return resolve(os.environ if process is None else process, dotenv, path)


def load(
    folder: Path | None = None,
    process: Mapping[str, str] | None = None,
    *,
    require: Sequence[str] = ("database_url", "redis.url"),
) -> "Settings":
    """Read all layers and freeze them. `require` names the keys without which the caller cannot work.

    Raises `EnvironmentProblem`, and `ConfigurationError` with every problem at once.
    """
    folder = (folder or Path.cwd()).absolute()
    process = os.environ if process is None else process
    root = project_root(folder) or folder
    dotenv_path, dotenv = read_dotenv(root)
    resolved = resolve(process, dotenv, dotenv_path)
    path = _config_file(root)
    layers = (
        *_yaml_layers(path, resolved.environment.dynaconf),
        _variables_layer("dotenv", dotenv_path, dotenv),
        _variables_layer("environ", "the process environment", process),
    )
    merged = _merged(layers)
    problems = [*_unknown_names(layers), *_missing(merged, resolved, path, require)]
    return _freeze(merged, layers, resolved, root, problems)


def dynaconf_settings(path: Path, environment: str) -> "Dynaconf":
    """The committed layers as a Dynaconf object, in the form that the specification shows.

    Environment variables are left out on purpose: Dynaconf would guess their types. `load` adds them.
    """
    from dynaconf import Dynaconf

    return Dynaconf(
        envvar_prefix="GENPULSE",
        settings_files=[str(path.absolute())],
        environments=True,
        env_switcher="ENV_FOR_DYNACONF",
        env=environment,
        load_dotenv=False,
        loaders=[],
        merge_enabled=True,
    )


def __getattr__(name: str) -> "Dynaconf":
    """`settings`, made when somebody first asks: importing Dynaconf takes longer than `genpulse --help` may."""
    if name != "settings":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    root = project_root(Path.cwd()) or Path.cwd()
    return dynaconf_settings(_config_file(root), find_environment().environment.dynaconf)


def _config_file(root: Path) -> Path:
    package = Path(__file__).parent
    for candidate in (root / "config/config.yaml", *(package.parent / path for path in _DEFAULTS)):
        if candidate.is_file():
            return candidate
    raise ConfigurationError("genpulse", ["config/config.yaml is missing from the package; install it again"])


def _yaml_layers(path: Path, environment: str) -> Iterator[Layer]:
    document = _read_yaml(path)
    unknown = sorted(set(document) - set(SECTIONS))
    if unknown:
        raise ConfigurationError(
            environment, [f"{path}: unknown section(s) {', '.join(unknown)}; expected {', '.join(SECTIONS)}"]
        )
    for name, section in (("default", "default"), ("environment", environment)):
        yield Layer(name, f"{path} [{section}]", _lowered(document.get(section) or {}))


def _read_yaml(path: Path) -> Mapping[str, Any]:
    from dynaconf.vendor.ruamel.yaml import YAML
    from dynaconf.vendor.ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise ConfigurationError("genpulse", [f"{path} cannot be read: {error}"]) from error
    return document or {}


def _lowered(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(key).lower(): _lowered(value) if isinstance(value, Mapping) else value for key, value in values.items()
    }


def _variables_layer(name: str, source: str, variables: Mapping[str, str | None]) -> Layer:
    values: dict[str, Any] = {}
    for variable in sorted(variables):
        value = variables[variable]
        if variable.startswith(PREFIX) and value is not None:
            _put(values, variable.removeprefix(PREFIX).lower().split("__"), value)
    return Layer(name, source, values)


def _put(values: dict[str, Any], path: Sequence[str], value: str) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            inner = values[part] = {}
        values = inner
    values[path[-1]] = value


def _merged(layers: Sequence[Layer]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, layer.values)
    return merged


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = _lowered(value) if isinstance(value, Mapping) else value


def _missing(merged: Mapping[str, Any], resolved: Resolved, path: Path, require: Sequence[str]) -> Iterator[str]:
    """What must be there and is not, or is empty. Validators get to know whether, and never what."""
    if not require:
        return
    from dynaconf import ValidationError, Validator

    settings = dynaconf_settings(path, resolved.environment.dynaconf)
    for key in require:
        settings.set(key.replace(".", "__"), bool(str(_get(merged, key) or "").strip()))
        variable = PREFIX + key.upper().replace(".", "__")
        message = f"{key} is missing: set {variable} in the process environment or in .env"
        if resolved.environment.services == "auto-spawn":
            message += ", or run `genpulse dev`, which starts a server of its own"
        try:
            Validator(key, must_exist=True, eq=True, messages={"operations": message}).validate(settings)
        except ValidationError as error:
            yield str(error)


def _get(values: Mapping[str, Any], key: str) -> object:
    found: object = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _unknown_names(layers: Sequence[Layer]) -> Iterator[str]:
    known = sorted(_known_keys())
    for layer in layers:
        for key in _leaves(layer.values):
            if not _is_known(key, known):
                yield _unknown(key, layer, known)


def _unknown(key: str, layer: Layer, known: Sequence[str]) -> str:
    spell = str if layer.name in {"default", "environment"} else _variable
    near = get_close_matches(key.replace(".", "_"), [name.replace(".", "_") for name in known], n=1, cutoff=0.6)
    hint = next((name for name in known if near and name.replace(".", "_") == near[0]), None)
    question = f" Did you mean {spell(hint)}?" if hint else ""
    return f"{spell(key)} is not a setting (in {layer.source}).{question}"


def _variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", "__")


def _is_known(key: str, known: Sequence[str]) -> bool:
    parts = key.split(".")
    if parts[0] == "providers" and len(parts) > 2:
        return parts[2] == "options" or f"providers.*.{'.'.join(parts[2:])}" in known
    return key in known


def _leaves(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def _known_keys() -> Iterator[str]:
    """Every key of the typed settings, with dots; a provider's name is `*`."""
    from genpulse.settings import ProviderSection, Section, Settings

    for name, field in Settings.model_fields.items():
        if name in {"environment", "decided_by", "root", "providers"}:
            continue
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from (f"{name}.{inner}" for inner in section.model_fields)
        else:
            yield name
    yield from (f"providers.*.{inner}" for inner in ProviderSection.model_fields)


def _freeze(
    merged: Mapping[str, Any],
    layers: Sequence[Layer],
    resolved: Resolved,
    root: Path,
    problems: list[str],
) -> "Settings":
    from pydantic import ValidationError

    from genpulse.settings import Settings

    facts = {"environment": resolved.environment, "decided_by": resolved.decided_by, "root": root}
    try:
        settings = Settings.model_validate({**merged, **facts})
    except ValidationError as error:
        misfits = [item for item in error.errors() if item["type"] != "extra_forbidden"]
        problems = [*problems, *(_misfit(item["loc"], item["msg"], layers) for item in misfits)]
        raise ConfigurationError(resolved.environment.dynaconf, problems) from None
    if problems:
        raise ConfigurationError(resolved.environment.dynaconf, problems)
    return settings


def _misfit(loc: tuple[int | str, ...], message: str, layers: Sequence[Layer]) -> str:
    key = ".".join(str(part) for part in loc)
    source = next((layer.source for layer in reversed(layers) if _get(layer.values, key) is not None), "nowhere")
    return f"{key} (from {source}): {message}"

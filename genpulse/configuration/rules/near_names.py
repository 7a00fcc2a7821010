"""Names that are no settings, with the nearest one that is."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches

from genpulse.configuration.errors import Fault
from genpulse.configuration.schema import ANY_PROVIDER, find, is_open, keys, sections
from genpulse.configuration.sources.layers import Layer, leaves
from genpulse.configuration.sources.variables import PREFIX, PROCESS, Variable, variable_name
from genpulse.environment.resolve import SWITCHES

_FOREIGN = re.compile(r"DYNACONF_.+|.+_FOR_DYNACONF")
_SWITCH_OF_OURS = re.compile(rf"{PREFIX}_*(ENV|ENVIRONMENT)")
_CUTOFF = 0.6
_OF_CLIENTS = f"{PREFIX}URL"
"""Names an API to the clients and to the command line, in the environment of the process."""
_FOLLOWS = {
    "url": "it names an API to clients and the command line, in the environment of the process.",
    "redis.key_prefix": "it follows from ENV; redis.namespace puts a name of your own behind it.",
}
"""What people look for and cannot set."""


def unknown_variables(variables: Iterable[Variable]) -> Iterator[Fault]:
    """Variables that look as if they were meant for GenPulse, or would change how it is configured."""
    for variable in variables:
        if variable.name == _OF_CLIENTS and variable.place == PROCESS:
            continue
        if detail := _refusal(variable.name):
            yield Fault("", variable.place, detail)


def changes_dynaconf(name: str) -> bool:
    """Whether Dynaconf itself would heed the variable, which is refused."""
    return name not in SWITCHES and _FOREIGN.fullmatch(name) is not None


def _refusal(name: str) -> str:
    if name in SWITCHES:
        return ""
    if _SWITCH_OF_OURS.fullmatch(name.upper()):
        return f"{name} does not choose the environment; use {' or '.join(SWITCHES)}."
    if changes_dynaconf(name):
        return (
            f"{name} is one of Dynaconf's own variables, and of these only {SWITCHES[-1]} counts here; unset it."
        )
    if not name.upper().startswith(PREFIX):
        return ""
    if not name.startswith(PREFIX) or name != name.upper():
        return f"{name} is not read: variables are written in capitals. Use {name.upper()}."
    return why_no_setting(name.removeprefix(PREFIX).lower().replace("__", "."), variable_name)


def unknown_keys(layer: Layer) -> Iterator[Fault]:
    """Keys of a committed layer that are no settings."""
    for key in leaves(layer.values):
        if layer.get(key) == {} and (key in sections() or find(key)):
            continue
        if detail := why_no_setting(key, str):
            yield Fault("", layer.place(key), detail)


def why_no_setting(key: str, say: Callable[[str], str]) -> str:
    """Why a dotted key cannot be set, and which one is meant; empty for one that can be. `say` spells a key."""
    setting = find(key)
    if setting is not None:
        is_open_section = is_open(setting.key) and not is_open(key)
        return "" if setting.kind != "section" or is_open_section else _in_section(key, say)
    if _is_section(key):
        return _in_section(key, say)
    if key in _FOLLOWS:
        return f"{say(key)} is not a setting: {_FOLLOWS[key]}"
    near = _nearest(key)
    return f"{say(key)} is not a setting." + (f" Did you mean {say(near)}?" if near else "")


def _is_section(key: str) -> bool:
    return _pattern_of_section(key) in sections()


def _pattern_of_section(key: str) -> str:
    """The section's key as the schema has it, with `<name>` for a provider's name."""
    parts = key.split(".")
    return f"providers.{ANY_PROVIDER}" if parts[0] == "providers" and len(parts) == 2 else key


def _in_section(section: str, say: Callable[[str], str]) -> str:
    pattern = _pattern_of_section(section)
    inner = [setting.key.rpartition(".")[2] for setting in keys() if setting.section == pattern] or ["<key>"]
    names = [say(f"{section}.{name}") for name in inner[:3]]
    return f"{say(section)} is a section and has no value of its own; set {' or '.join(names)}."


def _nearest(key: str) -> str:
    """The setting that is spelt most like it; a provider's name is kept as it was written."""
    parts = key.split(".")
    name = parts[1] if parts[0] == "providers" and len(parts) > 2 else ANY_PROVIDER
    flat = {
        _flat(setting.key.replace(ANY_PROVIDER, name)): setting.key.replace(ANY_PROVIDER, name)
        for setting in keys()
    }
    near = get_close_matches(_flat(key), flat, n=1, cutoff=_CUTOFF)
    return flat[near[0]] if near else ""


def _flat(key: str) -> str:
    return key.replace(".", "_")


def without_prefix(key: str, variables: Iterable[Variable]) -> str:
    """The variable that somebody has set who meant a setting and left `GENPULSE_` out; empty when there is none.

    `DATABASE_URL` for `database_url`, and what a vendor's own packages read for `providers.<name>.api_key`, such
    as `OPENAI_API_KEY`, `FAL_KEY`, `REPLICATE_API_TOKEN`.
    """
    parts = key.removeprefix("providers.").split(".")
    bare = {"_".join(parts), "__".join(parts)}
    if parts[-1] == "api_key":
        bare |= {f"{parts[0]}_key", f"{parts[0]}_api_token"}
    names = {name.upper() for name in bare}
    return next((variable.name for variable in variables if variable.name in names and variable.value.strip()), "")


def contradictions(variables: Sequence[Variable]) -> Iterator[Fault]:
    """Two variables that are settings, and of which one would take the other's place."""
    names = {variable.name for variable in variables if variable.name.startswith(PREFIX)}
    for variable in variables:
        inner = sorted(name for name in names if name.startswith(f"{variable.name}__"))
        if variable.name in names and inner and not _refusal(variable.name):
            yield Fault(variable.name, variable.place, f"it contradicts {inner[0]}, which is a part of it")

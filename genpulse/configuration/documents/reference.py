"""The reference page, made from the schema and the committed defaults."""

from collections.abc import Iterator

from pydantic_core import to_json

from genpulse.configuration.documents.explanation import default_of
from genpulse.configuration.rules.provider_options import OPTIONS
from genpulse.configuration.schema import ANY_PROVIDER, Key, keys, sections
from genpulse.configuration.settings import RouteSection, RouteStepSection
from genpulse.configuration.sources.layers import Layer
from genpulse.configuration.sources.project import packaged_defaults
from genpulse.configuration.sources.variables import variable_name
from genpulse.configuration.sources.yaml_file import committed_layers
from genpulse.environment.table import ENVIRONMENTS, Environment

_HEAD = """# Configuration reference

Made by `genpulse config reference`. How the layers lie over each other and how an environment is chosen:
[Environments](../explanation/environments.md).
"""


def reference_text() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    committed = [(row, *committed_layers(packaged_defaults(), row.dynaconf, "")) for row in ENVIRONMENTS]
    section = None
    for setting in keys():
        if setting.section != section:
            section = setting.section
            yield from _heading(section)
        yield _row(setting, committed)
    yield from _routes()
    yield from _options()


def _routes() -> Iterator[str]:
    yield f"\n## routes.{ANY_PROVIDER}\n"
    yield "They stand in `config.yaml`. A name has no slash in it, since a model's id has one.\n"
    yield "| name | default | meaning |"
    yield "|---|---|---|"
    for section, indent in ((RouteSection, ""), (RouteStepSection, "try[].")):
        for name, field in section.model_fields.items():
            default = "" if field.is_required() else _json(field.get_default(call_default_factory=True))
            yield f"| `{indent}{field.alias or name}` | {default} | {field.description} |"


def _json(default: object) -> str:
    return f"`{to_json(default).decode()}`"


def _options() -> Iterator[str]:
    yield f"\n## providers.{ANY_PROVIDER}.options\n"
    yield "What the providers of this package read there; a plug-in may read any other name.\n"
    yield "| option | read by | type | meaning |"
    yield "|---|---|---|---|"
    for option in OPTIONS:
        readers = ", ".join(f"`{adapter}`" for adapter in option.adapters) or "all but `sandbox`"
        yield f"| `{option.name}` | {readers} | {option.kind.value} | {option.meaning} |"


def _heading(section: str) -> Iterator[str]:
    if section:
        yield f"\n## {section}\n\n{sections().get(section, '')}\n"
    yield "| key | variable | type | default | meaning |"
    yield "|---|---|---|---|---|"


def _row(setting: Key, committed: list[tuple[Environment, Layer, Layer]]) -> str:
    cells = (
        f"`{setting.key}`",
        f"`{variable_name(setting.key)}`",
        setting.kind,
        _default(setting, committed),
        setting.meaning.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def _default(setting: Key, committed: list[tuple[Environment, Layer, Layer]]) -> str:
    """The default of a setting, for each environment where they differ."""
    values = {
        row.dynaconf: _first(own.get(setting.key), all_of.get(setting.key), setting)
        for row, all_of, own in committed
    }
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _first(own: object, all_of: object, setting: Key) -> str:
    value = own if own is not None else all_of if all_of is not None else default_of(setting)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value in (None, "") else f"`{value}`"

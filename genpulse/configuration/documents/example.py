"""`.env.example`, made from the schema, so that it is complete."""

import textwrap
from collections.abc import Iterator

from genpulse.configuration.documents.explanation import default_of
from genpulse.configuration.schema import Key, keys, sections
from genpulse.configuration.sources.variables import variable_name
from genpulse.environment.resolve import SWITCHES
from genpulse.environment.table import ENVIRONMENTS

_WIDTH = 110
_HEAD = """
Copy this file to .env, which is never committed. A variable of the process environment wins over .env. Commented
lines show the default. Made by `genpulse config example`.
"""


def example_text() -> str:
    """The whole file."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from _comment(" ".join(_HEAD.split()))
    yield ""
    yield from _comment(f"Which environment this is: {', '.join(row.name for row in ENVIRONMENTS)}.")
    yield from _comment("A .env that does not say whose it is counts in development alone.")
    yield f"{SWITCHES[0]}={ENVIRONMENTS[0].name}"
    words = ", ".join(row.dynaconf for row in ENVIRONMENTS)
    yield from _comment(f"The same in Dynaconf's words: {words}. Set one of the two, not both.")
    yield f"#{SWITCHES[1]}={ENVIRONMENTS[0].dynaconf}"
    section = None
    for setting in keys():
        if setting.section != section:
            section = setting.section
            yield ""
            yield from _comment(sections().get(section, "")) if section else ()
        yield from _comment(f"{setting.meaning} ({setting.kind})")
        yield _assignment(setting)


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(text, _WIDTH - 2))


def _assignment(setting: Key) -> str:
    """Secrets are there to be filled in; the rest shows its default."""
    name = variable_name(setting.key)
    if setting.kind == "section":
        return f"#{name}__<KEY>="
    if setting.secret and "<" not in name:
        return f"{name}="
    default = default_of(setting)
    return f"#{name}={'' if default is None else _text(default)}"


def _text(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)

"""Templates, and how they write times, amounts and sizes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from genpulse.console.views.words import CHARGED, CIRCUIT_CHANGES, CIRCUITS, CODES, STATUS_WORDS, WAITS, WHO_ACTS
from genpulse.domain.json.value import JsonValue
from genpulse.domain.task import Task

_SHOWN_CHARACTERS = 240
_TELLING = ("prompt", "text", "input", "lyrics", "description", "query")
"""Fields of an input that say most of it."""
_STEPS = ((86_400, "d"), (3600, "h"), (60, "min"))


def moment(at: datetime | None) -> Markup:
    """A time; the script of the page turns it to the reader's zone, with UTC on hover."""
    if at is None:
        return Markup("—")
    utc = at.astimezone(UTC)
    shown = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(utc.isoformat(), shown, shown)


def usd(amount: Decimal | None) -> str:
    """An amount in US dollars: to the cent, and finer where it is less than one."""
    if amount is None:
        return "—"
    if amount == amount.quantize(Decimal("0.01")) or amount >= 1:
        return f"${amount:,.2f}"
    return f"${amount:.6f}".rstrip("0")


def seconds(count: float | None) -> str:
    """A duration in its two largest units."""
    if count is None:
        return "—"
    if count < 1:
        return f"{count * 1000:.0f} ms"
    if count < 60:
        return f"{count:.1f} s"
    rest = round(count)
    parts = []
    for size, unit in _STEPS:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    if rest:
        parts.append(f"{rest} s")
    return " ".join(parts[:2])


def size(count: int) -> str:
    """A size in bytes, in the unit that suits it."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 1000 or unit == "GB":
            return f"{amount:,.1f} {unit}"
    raise AssertionError


def number(count: int) -> str:
    """A number with its thousands apart."""
    return f"{count:,}"


def percent(share: float) -> str:
    """A share from 0 to 1."""
    return f"{share * 100:.1f} %" if 0 < share < 0.1 else f"{share * 100:.0f} %"


def summary(task: Task) -> str:
    """What says most of the task's input, on one line."""
    for name in _TELLING:
        value = task.input.get(name)
        if isinstance(value, str) and value.strip():
            return _cut(" ".join(value[: _SHOWN_CHARACTERS * 4].split()))
    return _cut(json.dumps(task.input, ensure_ascii=False)) if task.input else ""


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def pretty(value: JsonValue) -> str:
    """JSON over several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def query(parts: Mapping[str, str]) -> str:
    """A query string, empty where nothing is asked."""
    told = {name: value for name, value in parts.items() if value}
    return f"?{urlencode(told)}" if told else ""


def bare_url(url: str) -> str:
    """Without what may be secret in it: a login, and the query."""
    scheme, mark, rest = url.partition("://")
    place, slash, path = (rest if mark else scheme).partition("/")
    bare = f"{place.rpartition('@')[2]}{slash}{path}"
    for end in ("?", "#"):
        if end in bare:
            bare = f"{bare.partition(end)[0]}{end}…"
    return f"{scheme}://{bare}" if mark else bare


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates, each read once. Whatever they show is escaped, and what they do not know is an error."""
    environment = Environment(
        loader=PackageLoader("genpulse.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for shown in (moment, usd, seconds, size, number, percent, summary, pretty, query, bare_url):
        environment.filters[shown.__name__] = shown
    environment.globals.update(
        status_words=STATUS_WORDS, codes=CODES, who_acts=WHO_ACTS, charged_words=CHARGED, waits=WAITS
    )
    environment.globals.update(circuit_words=CIRCUITS, circuit_changes=CIRCUIT_CHANGES)
    return environment


def render(name: str, **view: object) -> str:
    """A template with what it shows."""
    return templates().get_template(name).render(**view)

"""Objects and lists out of the names of form fields: `metadata[a]`, `tags[]`."""

import re
from collections.abc import Sequence

from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.value import JsonObject, JsonValue

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INNER = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 5


def nested(fields: Sequence[tuple[str, str]]) -> JsonObject:
    """The values of a form. Raises `BadInput` for a name that is none, or that is there twice."""
    document: dict[str, JsonValue] = {}
    for name, text in fields:
        match = _NAME.fullmatch(name)
        parts = [match[1], *_INNER.findall(match[2])] if match else []
        if not parts or len(parts) > _DEEPEST:
            raise _misfit(name, "it is not the name of a field")
        _put(document, parts, text, name)
    return document


def _put(document: dict[str, JsonValue], parts: Sequence[str], text: str, name: str) -> None:
    is_list = parts[-1] == ""
    *path, last = parts[:-1] if is_list else parts
    holder = document
    for part in path:
        inner = holder.setdefault(part, {})
        if not part or not isinstance(inner, dict):
            raise _misfit(name, "the form has it in two ways")
        holder = inner
    if not last or (last in holder and not (is_list and isinstance(holder[last], list))):
        raise _misfit(name, "it is there more than once")
    items = holder.setdefault(last, [] if is_list else text)
    if isinstance(items, list):
        items.append(text)


def _misfit(name: str, why: str) -> BadInput:
    return BadInput(f"The form cannot be understood: {name[:100]}: {why}.", [Problem(f"/{name[:100]}", why)])

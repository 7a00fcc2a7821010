"""Reading a JSON body into a typed value, with a clear word about everything that does not fit."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from math import isfinite
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from genpulse.api.errors import InvalidJson, UnsupportedContentType
from genpulse.api.problems import SHOWN_AT_MOST
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json_value import JsonValue
from genpulse.domain.text import storable_line

M = TypeVar("M", bound=BaseModel)
KEY_LENGTH = 256
"""How many characters a key of an object may have."""
VALUES = 10_000
"""How many values one body may hold, whole and inner ones."""
BATCH_VALUES = 100_000
"""The same for a body of many tasks."""
_POINTER_LENGTH = 200
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Without this no text of a body can hold half of a surrogate pair. The quick reader calls that broken JSON."""
_SURROGATE = re.compile("[\ud800-\udfff]")


_Place: TypeAlias = "tuple[_Place, str | int] | None"
"""Where a value is: the place of what holds it, and its key or index there; None is the whole."""


async def read(request: Request, model: type[M], *, most_values: int = VALUES) -> M:
    """The body as `model`. Raises `UnsupportedContentType`, `InvalidJson`, `BadInput`, `ContentTooLarge`."""
    _check_type(request)
    document = _parse(await request.body(), most_values)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = islice(error.errors(include_url=False, include_input=False), SHOWN_AT_MOST)
        problems = tuple(Problem(_pointer(item["loc"]), item["msg"]) for item in found)
        raise BadInput("The body does not fit what this call takes.", problems) from error


def _check_type(request: Request) -> None:
    found = request.headers.get("content-type")
    if found is None or found.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedContentType(found, "application/json")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedContentType(f"{found} encoded as {encoding}", "application/json that is not encoded")


def _parse(body: bytes, most_values: int) -> JsonValue:
    try:
        document: JsonValue = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        if _HALF.search(body):
            _check(_parse_slowly(body), most_values)
        raise InvalidJson(f"The body is not JSON in UTF-8: {storable_line(str(error))}.") from error
    _check(document, most_values)
    return document


def _parse_slowly(body: bytes) -> JsonValue:
    """The same by a reader that takes halves of surrogate pairs, to tell where they are; null when it cannot."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def _check(document: JsonValue, most_values: int) -> None:
    if problems := tuple(islice(_unfit_places(document, most_values), SHOWN_AT_MOST)):
        raise BadInput("The body holds values that cannot be kept.", problems)


def _unfit_places(document: JsonValue, most_values: int) -> Iterator[Problem]:
    """Places with values that JSON can write down and that cannot be kept here.

    It looks at no more than `most_values` values, and a place is written down only where something is wrong.
    """
    for count, (place, value) in enumerate(_values(document)):
        if count >= most_values:
            yield Problem(_written(place), f"the body holds more than {most_values:,} values up to here")
            return
        if isinstance(value, dict):
            yield from (Problem(_written(place), f"a key {what}") for key in value if (what := _unfit_key(key)))
        elif isinstance(value, str) and (what := _unfit(value)):
            yield Problem(_written(place), f"the text {what}")
        elif isinstance(value, float) and not isfinite(value):
            yield Problem(_written(place), "the number is too large")


def _values(document: JsonValue) -> Iterator[tuple[_Place, JsonValue]]:
    """Every value and where it is, depth first; nothing is made before it is asked for."""
    yield None, document
    stack: list[tuple[_Place, Iterator[tuple[str | int, JsonValue]]]] = [(None, _inner(document))]
    while stack:
        within, values = stack[-1]
        found = next(values, None)
        if found is None:
            stack.pop()
            continue
        key, value = found
        place: _Place = (within, key)
        yield place, value
        if isinstance(value, dict | list):
            stack.append((place, _inner(value)))


def _inner(value: JsonValue) -> "Iterator[tuple[str | int, JsonValue]]":
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def _written(place: _Place) -> str:
    """A JSON Pointer (RFC 6901), cut to 200 characters."""
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(f"/{_escaped(storable_line(str(part), _POINTER_LENGTH))}")
    return storable_line("".join(reversed(parts)), _POINTER_LENGTH)


def _unfit_key(key: str) -> str:
    if len(key) > KEY_LENGTH:
        return f"has {len(key):,} characters, and {KEY_LENGTH} are allowed"
    return _unfit(key)


def _unfit(text: str) -> str:
    """What is wrong with a text; empty when it can be kept."""
    if "\0" in text:
        return "holds the character U+0000, which cannot be kept"
    if half := _SURROGATE.search(text):
        return f"holds U+{ord(half[0]):04X}, half of a surrogate pair: send both halves, or the character in UTF-8"
    return ""


def _pointer(loc: tuple[int | str, ...]) -> str:
    """The same of pydantic's own place, in which `[key]` is a key of the object at that place."""
    place: _Place = None
    for part in loc:
        place = place if part == "[key]" else (place, part)
    return _written(place)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")

"""Reading a JSON body into a typed value, with a clear word about everything that does not fit."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from math import isfinite
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from genpulse.api.errors import InvalidJson, UnsupportedContentType
from genpulse.api.problems import SHOWN_AT_MOST
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json_value import JsonValue
from genpulse.domain.text import storable_line

M = TypeVar("M", bound=BaseModel)
_SUSPICIOUS = re.compile(rb"\\u0000|[0-9][eE]|[0-9]{300}")
"""Without one of these no value of a body can be U+0000 or a number that is too large."""
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Without this no text of a body can hold half of a surrogate pair. The quick reader calls that broken JSON."""
_SURROGATE = re.compile("[\ud800-\udfff]")


async def read(request: Request, model: type[M]) -> M:
    """The body as `model`. Raises `UnsupportedContentType`, `InvalidJson`, `BadInput`, `ContentTooLarge`."""
    _check_type(request)
    body = await request.body()
    document = _parse(body)
    if _SUSPICIOUS.search(body):
        _check_storable(document)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = islice(error.errors(include_url=False, include_input=False), SHOWN_AT_MOST)
        problems = tuple(Problem(_pointer(item["loc"]), item["msg"]) for item in found)
        raise BadInput("The body does not fit what this call takes.", problems) from error


async def read_if_any(request: Request, model: type[M]) -> M:
    """The same where a body may be left out: then its defaults hold. Raises what `read` raises."""
    return await read(request, model) if await request.body() else model()


def _check_type(request: Request) -> None:
    found = request.headers.get("content-type")
    if found is None or found.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedContentType(found, "application/json")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedContentType(f"{found} encoded as {encoding}", "application/json that is not encoded")


def _parse(body: bytes) -> JsonValue:
    try:
        document: JsonValue = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        if _HALF.search(body):
            _check_storable(_parse_slowly(body))
        raise InvalidJson(f"The body is not JSON in UTF-8: {storable_line(str(error))}.") from error
    return document


def _parse_slowly(body: bytes) -> JsonValue:
    """The same by a reader that takes halves of surrogate pairs, to tell where they are; null when it cannot."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def _check_storable(document: JsonValue) -> None:
    if problems := tuple(islice(_unstorable(document), SHOWN_AT_MOST)):
        raise BadInput("The body holds values that cannot be kept.", problems)


def _unstorable(document: JsonValue) -> Iterator[Problem]:
    """Places with values that JSON can write down and PostgreSQL cannot keep."""
    stack: list[tuple[str, JsonValue]] = [("", document)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            stack += ((f"{place}/{_escaped(storable_line(key))}", item) for key, item in value.items())
            yield from (Problem(place, f"a key {what}") for key in value if (what := _unfit(key)))
        elif isinstance(value, list):
            stack += ((f"{place}/{index}", item) for index, item in enumerate(value))
        elif isinstance(value, str) and (what := _unfit(value)):
            yield Problem(place, f"the text {what}")
        elif isinstance(value, float) and not isfinite(value):
            yield Problem(place, "the number is too large")


def _unfit(text: str) -> str:
    """What is wrong with a text; empty when it can be kept."""
    if "\0" in text:
        return "holds the character U+0000, which cannot be kept"
    if half := _SURROGATE.search(text):
        return f"holds U+{ord(half[0]):04X}, half of a surrogate pair: send both halves, or the character in UTF-8"
    return ""


def _pointer(loc: tuple[int | str, ...]) -> str:
    """A JSON Pointer (RFC 6901). `[key]` is pydantic's word for a key of the object at that place."""
    return "".join(f"/{_escaped(str(part))}" for part in loc if part != "[key]")


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")

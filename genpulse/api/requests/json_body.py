"""Reading a JSON body into a typed value, with a clear word about everything that does not fit."""

import json
import re
from collections import Counter
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from genpulse.api.errors import InvalidJson, UnsupportedContentType
from genpulse.api.requests.json_checks import BATCH_VALUES, SHOWN_AT_MOST, VALUES, check
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.place import Place, written
from genpulse.domain.json.value import JsonValue
from genpulse.domain.text.storable import storable_line
from genpulse.provider.inputs.unknown_field import said_of

__all__ = ["BATCH_VALUES", "parsed", "read"]

M = TypeVar("M", bound=BaseModel)
_NO_PLACES = frozenset({"[key]", "[one]", "[several]"})
_NAMED = 5
_KEY = re.compile(rb'"\s*:')
"""Behind each key stands a colon; it may stand in texts, too."""
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Without this no text of a body can hold half of a surrogate pair. The quick reader calls that broken JSON."""


async def read(request: Request, model: type[M], *, most_values: int = VALUES) -> M:
    """The body as `model`. Raises `UnsupportedContentType`, `InvalidJson`, `BadInput`, `ContentTooLarge`."""
    check_type(request)
    document = parsed(await request.body(), most_values)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        errors = islice(error.errors(include_url=False, include_input=False), SHOWN_AT_MOST)
        problems = tuple(Problem(_pointer(item["loc"]), said_of(model, item)) for item in errors)
        raise BadInput("The body does not fit what this call takes.", problems) from error


async def read_if_any(request: Request, model: type[M]) -> M:
    """The body as `model`, or the model's defaults where there is no body. Raises as `read`."""
    return await read(request, model) if await request.body() else model()


def check_type(request: Request) -> None:
    """Raises `UnsupportedContentType` where the body does not call itself JSON."""
    content_type = request.headers.get("content-type")
    if content_type is None or content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedContentType(content_type, "application/json")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        encoded = f"{content_type} encoded as {encoding}"
        raise UnsupportedContentType(encoded, "application/json that is not encoded")


def parsed(body: bytes, most_values: int = VALUES) -> JsonValue:
    """The JSON document that a body is. Raises `InvalidJson`, `BadInput`."""
    try:
        document: JsonValue = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        if _HALF.search(body):
            check(_parse_slowly(body), most_values)
        raise InvalidJson(f"The body cannot be read as JSON in UTF-8: {storable_line(str(error))}.") from error
    keys = check(document, most_values)
    if len(_KEY.findall(body)) != keys:
        _refuse_doubled(body)
    return document


def _refuse_doubled(body: bytes) -> None:
    """Raises `BadInput` where an object has a key twice: only one of its values could be kept."""

    def pairs(members: list[tuple[str, JsonValue]]) -> JsonValue:
        names = Counter(name for name, _ in members)
        doubled.extend(name for name, count in names.items() if count > 1)
        return None

    doubled: list[str] = []
    json.loads(body, object_pairs_hook=pairs)
    if doubled:
        names_in_words = ", ".join(storable_line(name, 60) or "''" for name in doubled[:_NAMED])
        raise BadInput(f"The body says more than once what stands under a key: {names_in_words}. Say it once.")


def _parse_slowly(body: bytes) -> JsonValue:
    """Parse a body that has halves of surrogate pairs, to tell where they are; None when it is no JSON."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def _pointer(loc: tuple[int | str, ...]) -> str:
    """The JSON pointer of a place as pydantic names it; `[key]` there is a key of the object before it.

    `[one]` and `[several]` tell by which of two forms a value was read.
    """
    place: Place = None
    for part in loc:
        place = place if part in _NO_PLACES else (place, part)
    return written(place)

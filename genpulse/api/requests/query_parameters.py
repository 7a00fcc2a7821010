"""Query parameters that a call does not take, or that come twice."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import Scope

from genpulse.provider.unknown_field import unknown


def refuse_doubled(request: Request, may_repeat: Callable[[str], bool] = lambda _name: False) -> None:
    """Of two values one would be lost, and nobody could tell which was meant. Raises `RequestValidationError`."""
    names = Counter(name for name, _ in request.query_params.multi_items() if not may_repeat(name))
    doubled = [name for name, count in names.items() if count > 1]
    if doubled:
        said = "It is given more than once; give it once"
        raise RequestValidationError(
            [{"type": "doubled", "loc": ("query", name), "msg": said} for name in doubled]
        )


def said_of(item: Mapping[str, Any], name: str, scope: Scope) -> str:
    """What is wrong with a parameter of this name; of one that there is not, which one it is like."""
    message: str = item["msg"]
    if item["type"] != "extra_forbidden":
        return message
    known = item.get("ctx", {}).get("known") or tuple(_known(scope))
    return unknown(name, known, "parameter").removesuffix(".")


def _known(scope: Scope) -> Iterator[str]:
    """The names that the route takes."""
    for parameter in getattr(getattr(scope.get("route"), "dependant", None), "query_params", ()):
        model = parameter.field_info.annotation
        is_model = isinstance(model, type) and issubclass(model, BaseModel)
        fields = model.model_fields.items() if is_model else ()
        yield from (field.alias or name for name, field in fields) if is_model else (parameter.alias,)

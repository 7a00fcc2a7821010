"""Query parameters that a call does not take, or that come twice."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.types import Scope

from genpulse.provider.inputs.unknown_field import unknown


def refuse_doubled(parameters: QueryParams, may_repeat: Callable[[str], bool] = lambda _name: False) -> None:
    """Raises `RequestValidationError` where a parameter is given twice that may not be: one would be lost."""
    names = Counter(name for name, _ in parameters.multi_items() if not may_repeat(name))
    doubled = [name for name, count in names.items() if count > 1]
    if doubled:
        message = "It is given more than once; give it once"
        raise RequestValidationError(
            [{"type": "doubled", "loc": ("query", name), "msg": message} for name in doubled]
        )


def parameter_message(item: Mapping[str, Any], name: str, scope: Scope) -> str:
    """The message about a wrong parameter; for an unknown one it suggests a similar name."""
    message: str = item["msg"]
    if item["type"] != "extra_forbidden":
        return message
    known = item.get("ctx", {}).get("known") or tuple(_parameter_names(scope))
    return unknown(name, known, "parameter").removesuffix(".")


def _parameter_names(scope: Scope) -> Iterator[str]:
    """The names that the route takes."""
    for parameter in getattr(getattr(scope.get("route"), "dependant", None), "query_params", ()):
        model = parameter.field_info.annotation
        is_model = isinstance(model, type) and issubclass(model, BaseModel)
        fields = model.model_fields.items() if is_model else ()
        yield from (field.alias or name for name, field in fields) if is_model else (parameter.alias,)

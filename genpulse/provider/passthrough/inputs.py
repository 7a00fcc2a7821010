"""An input that is passed on as it is."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.kind import ANY, WELL_KNOWN

ASSET = "asset:"
KINDS = (ANY, *(kind for kind in WELL_KNOWN if kind not in {ANY, "noop"}))
"""Such a model does whatever it is asked for; a caller may say what that is."""


class FreeInput(BaseModel):
    """Whatever the vendor's model takes. A value `asset:<id>` stands for an upload."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def document(self) -> JsonObject:
        """The input as a JSON object."""
        document: JsonObject = self.model_dump(mode="json")
        return document


async def with_files(value: JsonValue, replace: Callable[[str], Awaitable[str]]) -> JsonValue:
    """Replace each `asset:<id>` in a value by what `replace` returns for it."""
    match value:
        case str():
            return await replace(value) if value.startswith(ASSET) else value
        case dict():
            return {key: await with_files(inner, replace) for key, inner in value.items()}
        case list():
            return [await with_files(inner, replace) for inner in value]
        case _:
            return value

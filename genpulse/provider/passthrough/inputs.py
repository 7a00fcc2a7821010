"""An input that is passed on as it is."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.kind import ANY, WELL_KNOWN
from genpulse.domain.submission.file_reference import output_named

ASSET = "asset:"
KINDS = (ANY, *(kind for kind in WELL_KNOWN if kind not in {ANY, "noop"}))
"""Such a model does whatever it is asked for; a caller may say what that is."""


class FreeInput(BaseModel):
    """Whatever the vendor's model takes. A value `asset:<id>` or `task:<id>` stands for a file that is here."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def document(self) -> JsonObject:
        """The input as a JSON object."""
        document: JsonObject = self.model_dump(mode="json")
        return document


class DeclaredInput(FreeInput):
    """Base of inputs whose fields a file of models declares: all else is refused, what is left out not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def document(self) -> JsonObject:
        """The input as a JSON object."""
        document: JsonObject = self.model_dump(mode="json", exclude_none=True)
        return document


def is_kept(text: str) -> bool:
    """Whether a text names an asset or the output of a task."""
    return text.startswith(ASSET) or output_named(text) is not None


async def with_files(
    value: JsonValue, replace: Callable[[str], Awaitable[str]], keeps: Callable[[str], bool] = is_kept
) -> JsonValue:
    """Replace each text in a value that names a file of ours by what `replace` returns for it.

    `keeps` tells which ones do: `call.attachments.keeps` knows the addresses of our assets besides.
    """
    match value:
        case str():
            return await replace(value) if keeps(value) else value
        case dict():
            return {key: await with_files(inner, replace, keeps) for key, inner in value.items()}
        case list():
            return [await with_files(inner, replace, keeps) for inner in value]
        case _:
            return value

"""Models whose input nobody but the vendor knows: it is passed on as it is.

For vendors with thousands of models. What an input refers to is replaced, and what an output consists of is found.
"""

import base64
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator

from pydantic import BaseModel, ConfigDict

from genpulse.domain.errors import OutputUnavailable
from genpulse.domain.failure import Charged
from genpulse.domain.json_value import JsonObject, JsonValue
from genpulse.domain.kind import ANY, WELL_KNOWN
from genpulse.provider import Output

ASSET = "asset:"
KINDS = (ANY, *(kind for kind in WELL_KNOWN if kind not in {ANY, "noop"}))
"""Such a model does whatever it is asked for; a caller may say what that is."""


class FreeInput(BaseModel):
    """Whatever the vendor's model takes. A value `asset:<id>` stands for an upload."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def document(self) -> JsonObject:
        """The same as JSON."""
        document: JsonObject = self.model_dump(mode="json")
        return document


async def with_files(value: JsonValue, replace: Callable[[str], Awaitable[str]]) -> JsonValue:
    """The same value, in which `replace` has given something else for each `asset:<id>`."""
    match value:
        case str():
            return await replace(value) if value.startswith(ASSET) else value
        case dict():
            return {key: await with_files(inner, replace) for key, inner in value.items()}
        case list():
            return [await with_files(inner, replace) for inner in value]
        case _:
            return value


def outputs_of(result: JsonValue, download: Callable[[str], AsyncIterable[bytes]]) -> tuple[Output, ...]:
    """Each file that a result names, or the text that it is. Raises `OutputUnavailable` for an empty result."""
    files = tuple(dict.fromkeys(_files(result)))
    if files:
        return tuple(Output(_bytes_of(name) if name.startswith("data:") else download(name)) for name in files)
    texts = [text for text in _texts(result) if text.strip()]
    if not texts:
        raise OutputUnavailable("The provider says that it is done, and its result is empty.", charged=Charged.YES)
    return (Output("".join(texts).encode()),)


def _files(result: JsonValue) -> Iterator[str]:
    for text in _texts(result):
        if text.startswith(("https://", "http://", "data:")):
            yield text


def _texts(result: JsonValue) -> Iterator[str]:
    match result:
        case str():
            yield result
        case dict():
            for inner in result.values():
                yield from _texts(inner)
        case list():
            for inner in result:
                yield from _texts(inner)


def _bytes_of(uri: str) -> bytes:
    head, _, content = uri.partition(",")
    try:
        decoded = base64.b64decode(content, validate=True) if head.endswith(";base64") else content.encode()
    except ValueError as error:
        raise OutputUnavailable(
            "The provider's result holds a data: URI that is not base64.", charged=Charged.YES
        ) from error
    if not decoded:
        raise OutputUnavailable("The provider's result holds an empty data: URI.", charged=Charged.YES)
    return decoded

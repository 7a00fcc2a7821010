"""What a model of Replicate says of its output: the JSON Schema `Output` of its version.

A file in it has the format `uri` (Cog's documentation). It stands under `openapi_schema` in each version of a
model (the package `replicate` 1.0.7), of which the model shows the latest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import FailureCode, QuestionRefused
from genpulse.provider.account import Account
from genpulse.provider.passthrough import Candidate
from genpulse.provider.passthrough.file_rules import keys_of

_MOST_REFERENCES = 64
"""A schema may lead around in a circle."""
_MOST_MODELS = 1_000
_PASSING = frozenset({FailureCode.PROVIDER_UNAVAILABLE, FailureCode.RATE_LIMITED})


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """The schema of a model's outputs, with the schemas that it refers to."""

    schemas: Mapping[str, JsonValue]

    def is_file(self, candidate: Candidate) -> bool:
        """Whether the schema says that a file stands there."""
        keys = [*keys_of(candidate.place)][::-1]
        return self._says_file(self.schemas.get("Output"), keys, _MOST_REFERENCES)

    def _says_file(self, schema: JsonValue, keys: list[str | int], left: int) -> bool:
        if not isinstance(schema, dict) or left == 0:
            return False
        if isinstance(name := schema.get("$ref"), str):
            return self._says_file(self.schemas.get(name.rpartition("/")[2]), keys, left - 1)
        for either in ("allOf", "anyOf", "oneOf"):
            if isinstance(ways := schema.get(either), list):
                return any(self._says_file(way, keys, left - 1) for way in ways)
        if not keys:
            return schema.get("format") == "uri"
        return self._says_file(_inner(schema, keys[0]), keys[1:], left)


class OutputSchemas:
    """The schemas of an account's models, each asked for once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[str, OutputSchema | None] = {}

    async def of(self, path: str, version: str | None) -> OutputSchema | None:
        """The schema of the model `owner/name`; None where Replicate tells none.

        Raises what `Account.ask` raises, but for a refusal that does not pass by itself.
        """
        where = f"/v1/models/{path}{f'/versions/{version}' if version else ''}"
        if where not in self._known:
            if len(self._known) >= _MOST_MODELS:
                self._known.clear()
            self._known[where] = await self._asked(where)
        return self._known[where]

    async def _asked(self, where: str) -> OutputSchema | None:
        try:
            model = (await self._account.ask("GET", where)).document()
        except QuestionRefused as error:
            if error.because in _PASSING:
                raise
            return None
        version = model if "openapi_schema" in model else _object(model.get("latest_version"))
        schemas = _object(_object(_object(version.get("openapi_schema")).get("components")).get("schemas"))
        return OutputSchema(schemas) if "Output" in schemas else None


def _inner(schema: JsonObject, key: str | int) -> JsonValue:
    if isinstance(key, int):
        return schema.get("items")
    properties = _object(schema.get("properties"))
    return properties[key] if key in properties else schema.get("additionalProperties")


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}

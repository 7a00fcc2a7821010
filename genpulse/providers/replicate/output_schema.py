"""What a model of Replicate says of its output: the JSON Schema `Output` of its version.

A file in it has the format `uri` (Cog's documentation). It stands under `openapi_schema` in each version of a
model (the package `replicate` 1.0.7), of which the model shows the latest.
"""

from collections.abc import Mapping, Sequence

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import FailureCode, QuestionRefused
from genpulse.provider.account import Account
from genpulse.provider.passthrough import PossibleFile
from genpulse.provider.passthrough.file_rules import keys_of

_MOST_MODELS = 1_000
_PASSING = frozenset({FailureCode.PROVIDER_UNAVAILABLE, FailureCode.RATE_LIMITED})


class OutputSchema:
    """The schema of a model's outputs, with the `schemas` that it refers to: a stranger's, of whatever shape."""

    def __init__(self, schemas: Mapping[str, JsonValue]) -> None:
        self._schemas = schemas
        self._known: dict[tuple[str | int, ...], bool] = {}

    def is_file(self, candidate: PossibleFile) -> bool:
        """Whether the schema says that a file stands there. All items of a list are alike."""
        keys = tuple(key if isinstance(key, str) else 0 for key in keys_of(candidate.place))[::-1]
        if keys not in self._known:
            self._known[keys] = self._says_file(keys)
        return self._known[keys]

    def _says_file(self, keys: Sequence[str | int]) -> bool:
        schemas = self._meant(self._schemas.get("Output"))
        for key in keys:
            schemas = self._meant(*(_inner(schema, key) for schema in schemas))
            if not schemas:
                return False
        return any(schema.get("format") == "uri" for schema in schemas)

    def _meant(self, *schemas: JsonValue) -> Sequence[JsonObject]:
        """These schemas with all that they refer to or consist of, each once: they may lead around in circles."""
        schemas_by_id: dict[int, JsonObject] = {}
        waiting = [*schemas]
        while waiting:
            schema = waiting.pop()
            if not isinstance(schema, dict) or id(schema) in schemas_by_id:
                continue
            schemas_by_id[id(schema)] = schema
            if isinstance(name := schema.get("$ref"), str):
                waiting.append(self._schemas.get(name.rpartition("/")[2]))
            for either in ("allOf", "anyOf", "oneOf"):
                waiting += ways if isinstance(ways := schema.get(either), list) else []
        return [*schemas_by_id.values()]


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

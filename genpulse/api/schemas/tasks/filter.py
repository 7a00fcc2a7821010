"""Which tasks are meant, as callers say it: in a query, or in a body."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from genpulse.api.schemas.moment import moment_of
from genpulse.api.schemas.tasks.submission import MetadataKey, MetadataValue, storable_keys
from genpulse.domain.failure import FailureCode
from genpulse.domain.kind import FORM, is_kind
from genpulse.domain.search.task_query import TaskFilter
from genpulse.domain.task import TaskStatus
from genpulse.domain.text.id_prefix import PATTERN, ids_beginning_with

MOST_VALUES = 20
MOST_IDS = 100
MOST_NAMES = 20
_UNSTORABLE = "\0"
T = TypeVar("T")


def _kind(word: str) -> str:
    if not is_kind(word):
        raise PydanticCustomError("kind", "Input should be a kind such as text-to-image")
    return word


def _id_prefix(word: str) -> str:
    if ids_beginning_with(word) is None:
        raise PydanticCustomError(
            "id_prefix", "Input should be the beginning of an id, in small letters, such as 0193a1b2-c3d4"
        )
    return word


def _text(text: str) -> str:
    if not any(character.isalnum() for character in text) or _UNSTORABLE in text:
        raise PydanticCustomError("text", "Input should hold a word: letters or digits")
    return text


_OF_LISTS = ("type", "items", "minItems", "maxItems")


def _several(value: object) -> object:
    if isinstance(value, list | tuple):
        return value or _none()
    return [value]


def _none() -> object:
    raise PydanticCustomError("too_short", "Input should have a value, or be left out")


def _one_or_several(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
    several = {name: schema.pop(name) for name in _OF_LISTS if name in schema} | {"minItems": 1}
    schema["anyOf"] = [several["items"], several]


def _several_of(most: int, **words: Any) -> Any:
    """A field that takes one value or several."""
    return Field(default_factory=list, max_length=most, json_schema_extra=_one_or_several, **words)


Several = Annotated[list[T], BeforeValidator(_several)]
KindWord = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_kind),
    Field(json_schema_extra={"pattern": f"^{FORM}$"}),
]
ProviderWord = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
ModelWord = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
KeyWord = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
TextWord = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_text),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*[A-Za-z0-9][^\u0000]*$"}),
]
MetadataValues = Annotated[
    list[MetadataValue],
    Field(max_length=MOST_VALUES, json_schema_extra=_one_or_several),
    BeforeValidator(_several),
]
IdPrefix = Annotated[
    str,
    StringConstraints(max_length=36),
    AfterValidator(_id_prefix),
    Field(json_schema_extra={"pattern": PATTERN}),
]
_MOMENTS = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}, {"type": "null"}]


def _as_moment(schema: dict[str, Any]) -> None:
    schema["anyOf"] = _MOMENTS
    schema.pop("type", None)
    schema.pop("format", None)


Moment = Annotated[datetime, BeforeValidator(moment_of)]


def _moment_field(description: str) -> Any:
    return Field(None, description=description, examples=["2030-01-31"], json_schema_extra=_as_moment)


class TaskFilterDocument(BaseModel):
    """Which tasks are meant: those that fit every field; one of several values is enough for its field."""

    model_config = ConfigDict(title="TaskFilter", extra="forbid", frozen=True, hide_input_in_errors=True)

    status: Several[TaskStatus] = _several_of(
        len(TaskStatus), description="Only tasks that stand so", examples=["queued"]
    )
    kind: Several[KindWord] = _several_of(
        MOST_VALUES, description="Only tasks of this kind", examples=["text-to-image"]
    )
    provider: Several[ProviderWord] = _several_of(
        MOST_VALUES, description="Only tasks of this provider", examples=["sandbox"]
    )
    model: Several[ModelWord] = _several_of(MOST_VALUES, description="`provider/name`", examples=["sandbox/image"])
    key: Several[KeyWord] = _several_of(
        MOST_VALUES,
        description="Only tasks of the API key with this id or name; those of others are for `admin` keys",
        examples=["web-shop"],
    )
    batch: UUID | None = Field(None, description="Only tasks that were submitted with this batch")
    ids: Several[UUID] = _several_of(MOST_IDS, description="Only these tasks, as far as they are there")
    text: Several[TextWord] = _several_of(
        MOST_VALUES,
        description=(
            "Only tasks with all of these words in the texts of their `input`, whatever their case and order. A"
            " word of three letters or more may be the beginning of one"
        ),
        examples=["red fox"],
    )
    code: Several[FailureCode] = _several_of(
        MOST_VALUES, description="Only tasks that failed so", examples=["provider_unavailable"]
    )
    metadata: Annotated[dict[MetadataKey, MetadataValues], Field(max_length=MOST_NAMES)] = Field(
        default_factory=dict,
        description="Only tasks that have these `metadata`: for each name one of the values",
        examples=[{"order": "1042"}],
        json_schema_extra=storable_keys,
    )
    id_prefix: IdPrefix | None = Field(
        None, description="Only tasks whose id begins so", examples=["0193a1b2-c3d4"]
    )
    created_after: Moment | None = _moment_field(
        "Only tasks that came then or later: a date, at whose beginning in UTC it is, or a time with its offset"
    )
    created_before: Moment | None = _moment_field("Only tasks that came before that: a date, or a time")

    @property
    def is_empty(self) -> bool:
        """Whether all tasks fit."""
        return not self.model_fields_set or self == TaskFilterDocument()

    def filter(self, owners: tuple[str, ...]) -> TaskFilter:
        """The same for the store, of the tasks of these owners; none are all."""
        return TaskFilter(
            statuses=tuple(self.status),
            kinds=tuple(self.kind),
            providers=tuple(self.provider),
            models=tuple(self.model),
            owners=owners,
            codes=tuple(self.code),
            batch=self.batch,
            ids=tuple(self.ids),
            texts=tuple(self.text),
            metadata=tuple(sorted((name, tuple(values)) for name, values in self.metadata.items())),
            id_range=ids_beginning_with(self.id_prefix) if self.id_prefix else None,
            created_after=self.created_after,
            created_before=self.created_before,
        )


class TaskListDocument(TaskFilterDocument):
    """Which tasks, and how many of them. Parameters that are not listed are refused."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before, with the same filters; empty: the first page"
    )

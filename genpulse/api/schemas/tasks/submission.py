"""Request bodies of submits."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from genpulse.api.schemas.moment import time_of
from genpulse.api.schemas.tasks.documents import PriorityWord
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.routing.route import MOST_MODELS
from genpulse.domain.task import Priority
from genpulse.domain.text.host_names import is_misleading
from genpulse.lifecycle.submission.submit import Order

LONGEST_DEADLINE_S = 30 * 24 * 3600
LONGEST_RETENTION_S = 10 * 365 * 24 * 3600
IDEMPOTENCY_KEY = r"^[!-~]([ -~]*[!-~])?$"
"""Printable ASCII, as JSON Schema says it: blanks around a header's value are none of its."""


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(not "!" <= character <= "~" for character in value):
        raise PydanticCustomError("http_url", "Input should be a http or https URL in ASCII characters")
    if is_misleading(parts.hostname or ""):
        raise PydanticCustomError(
            "http_url", "Input should name a host, or an IPv4 address as four plain numbers, such as 192.0.2.7"
        )
    return value


def _whole(value: object) -> object:
    """A number without a fraction is an integer, as JSON Schema has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


HttpUrl = Annotated[
    str,
    StringConstraints(max_length=2048),
    AfterValidator(_http_url),
    Field(json_schema_extra={"format": "uri"}),
]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_STORABLE = Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})
"""What `json_body` holds every text to, for those who read the OpenAPI document."""
MetadataValue = Annotated[str, StringConstraints(max_length=512), _STORABLE]


def storable_keys(schema: dict[str, Any]) -> None:
    """No name holds U+0000."""
    schema["propertyNames"]["pattern"] = r"^[^\u0000]*$"


ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200), _STORABLE]
ModelNames = Annotated[list[ModelName], Field(min_length=1, max_length=MOST_MODELS)]
ModelChoice = Annotated[
    Annotated[ModelName, Tag("[one]")] | Annotated[ModelNames, Tag("[several]")],
    Discriminator(lambda value: "[several]" if isinstance(value, list) else "[one]"),
]
"""Told apart by what it is, so that what is wrong with it is told of one form alone."""


class RetryDocument(BaseModel):
    """How a failed task is to run again. Fields that are not listed are refused."""

    model_config = ConfigDict(title="Retry", extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    even_if_charged: bool = Field(
        default=False,
        description="Forget what it ordered, which may still run there or be paid for, and order it anew",
    )


class OrderDocument(BaseModel):
    """A task that is asked for. Fields that are not listed are refused."""

    model_config = ConfigDict(title="Order", extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    model: ModelChoice | None = Field(
        None,
        description=(
            "`provider/name`, as GET /v1/models lists it; or the name of a route of this installation; or several"
            " of both, of which the next one is tried where the one before refuses. Left out: the usual route of"
            " the `kind`"
        ),
        examples=["sandbox/image"],
    )
    input: dict[str, JsonValue] = Field(
        description="What the model's `input_schema` describes", examples=[{"prompt": "a red fox at dawn"}]
    )
    kind: Annotated[str, StringConstraints(max_length=64), _STORABLE] | None = Field(
        None, description="Needed only when the model does several kinds of work", examples=["text-to-image"]
    )
    priority: PriorityWord = Field(
        "normal",
        description=(
            "Of two tasks that wait, the one with the higher priority starts first. An API key may have a ceiling:"
            " more is refused, and what is left out is no higher than that"
        ),
        examples=["normal"],
    )
    webhook_url: HttpUrl | None = Field(
        None,
        description="Is told when the task has ended",
        examples=["https://example.com/hooks/genpulse"],
    )
    deadline_s: Annotated[float, Field(gt=0, le=LONGEST_DEADLINE_S, allow_inf_nan=False)] | None = Field(
        None, description="Seconds from now, or from `run_at`, after which the task is given up", examples=[600]
    )
    run_at: Annotated[datetime, BeforeValidator(time_of)] | None = Field(
        None,
        description=(
            "Not begun before this time, which is 30 days ahead at most; `deadline_s` counts from it. One that has"
            " passed is now"
        ),
        examples=["2026-01-31T12:00:00Z"],
    )
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=64)] = Field(
        default_factory=dict,
        description="The caller's own words, returned with the task",
        examples=[{"order": "1042"}],
        json_schema_extra=storable_keys,
    )

    retain_s: Annotated[int, Field(ge=0, le=LONGEST_RETENTION_S), BeforeValidator(_whole)] | None = Field(
        None,
        description=(
            "Seconds after its end in which the task and what it made are kept; then they are deleted, as by"
            " DELETE. 0: as soon as its webhook was taken or is given up. The API key and this installation may"
            " keep it for less"
        ),
        examples=[86400],
    )

    def order(self, usual: Priority = Priority.NORMAL) -> Order:
        """The same as the lifecycle takes it; `usual` is the priority of what asks for none."""
        asks = "priority" in self.model_fields_set
        return Order(
            model=tuple(self.model) if isinstance(self.model, list) else self.model,
            input=self.input,
            kind=self.kind,
            priority=Priority[self.priority.upper()] if asks else usual,
            webhook_url=self.webhook_url,
            deadline_s=self.deadline_s,
            metadata=self.metadata,
            retain_s=self.retain_s,
            run_at=self.run_at,
        )


class BatchOrderDocument(OrderDocument):
    """A task of a batch, which may have an idempotency key of its own. Fields that are not listed are refused."""

    model_config = ConfigDict(title="BatchOrder")

    idempotency_key: Annotated[str, StringConstraints(max_length=255, pattern=IDEMPOTENCY_KEY)] | None = Field(
        None,
        description=(
            "The same key and order give the same task, however often they are sent, in a batch or as the header"
            " Idempotency-Key of one task. Not together with that header for the whole batch"
        ),
        examples=["prompts.csv 17"],
    )


class BatchDocument(BaseModel):
    """Tasks that are asked for together: all of them are queued, or none."""

    model_config = ConfigDict(title="Batch", extra="forbid", frozen=True, hide_input_in_errors=True)

    tasks: Annotated[list[BatchOrderDocument], Field(min_length=1, max_length=1000)]
    dry_run: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Look whether all would be taken, and queue nothing"
    )

    @property
    def keys(self) -> tuple[str | None, ...]:
        """The idempotency key of each order; empty where none has one."""
        keys = tuple(order.idempotency_key for order in self.tasks)
        return keys if any(keys) else ()

    def refuse_keys(self) -> None:
        """Raises `BadInput` where orders have keys: those of a batch that has one as a whole have none."""
        message = "the header Idempotency-Key stands for the whole batch; send the one or the others"
        places = [f"/tasks/{place}/idempotency_key" for place, key in enumerate(self.keys) if key is not None]
        if places:
            raise BadInput(
                "The batch has an Idempotency-Key, and its orders have keys of their own.",
                [Problem(place, message) for place in places],
            )

"""Client tokens as callers ask for them and see them."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from genpulse.api.schemas.api_keys import Dollars
from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.api.schemas.numbers import whole_number
from genpulse.api.schemas.tasks.submission import HttpUrl, MetadataKey, MetadataValue, ModelName, storable_keys
from genpulse.api.schemas.uploads import MediaRange
from genpulse.domain.assets.upload_grant import ANY
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.keys.client_token import (
    LONGEST_S,
    MOST_TASKS,
    MOST_UPLOADS,
    NO_UPLOADS,
    SHORTEST_S,
    ClientToken,
    OrderTerms,
    UploadTerms,
)
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.lifecycle.client_tokens import TokenRequest

_USUAL_S = 600
_MOST_NAMES = 100
_USUAL_BYTES = 20_000_000
_Number = BeforeValidator(whole_number)
_FieldName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_OF_ORDERS = ("max_tasks", "max_usd", "input", "input_fields", "metadata", "webhook_url", "uploads")


class UploadTermsDocument(BaseModel):
    """Files that may be brought by a client token, each by an address of POST /v1/upload_urls."""

    model_config = ConfigDict(title="UploadTerms", extra="forbid", frozen=True, hide_input_in_errors=True)

    max_files: Annotated[int, Field(ge=1, le=MOST_UPLOADS), _Number] = Field(1, description="So many of them")
    max_bytes: Annotated[int, Field(ge=1, le=2**53 - 1), _Number] = Field(
        _USUAL_BYTES, description="How large each may be"
    )
    media_type: MediaRange = Field(ANY, description="What each may be, by its bytes", examples=["image/*"])

    def terms(self, limit_bytes: int) -> UploadTerms:
        """The same as the domain has it."""
        return UploadTerms(self.max_files, min(self.max_bytes, limit_bytes), self.media_type)


class NewClientTokenDocument(BaseModel):
    """A client token that is asked for: for `tasks`, or for `models`. Fields that are not listed are refused."""

    model_config = ConfigDict(title="NewClientToken", extra="forbid", frozen=True, hide_input_in_errors=True)

    expires_in_s: Annotated[int, Field(ge=SHORTEST_S, le=LONGEST_S), _Number] = Field(
        _USUAL_S, description="For so many seconds it is good"
    )
    tasks: Annotated[list[UUID], Field(min_length=1, max_length=_MOST_NAMES)] | None = Field(
        None, description="Tasks that may be watched by it; it submits none then"
    )
    models: Annotated[list[ModelName], Field(min_length=1, max_length=_MOST_NAMES)] | None = Field(
        None,
        description="Models, or routes by their names, of which tasks may be submitted by it, which it opens, too",
        examples=[["sandbox/image"]],
    )
    may_cancel: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="Its tasks may be canceled by it"
    )
    max_tasks: Annotated[int, Field(ge=1, le=MOST_TASKS), _Number] = Field(
        1, description="So many tasks may be submitted by it altogether"
    )
    max_usd: Dollars | None = Field(
        None,
        description="US dollars that its tasks may come to altogether, by the prices that models tell; a model"
        " that costs something and tells no price is refused then",
        examples=["0.20"],
    )
    input: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Fields of the input that are the same for all of its tasks, and that nobody else says",
        examples=[{"size": "1024x1024"}],
    )
    input_fields: Annotated[list[_FieldName], Field(max_length=_MOST_NAMES)] | None = Field(
        None, description="The other fields of the input that may be said; null: any", examples=[["prompt"]]
    )
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=64)] = Field(
        default_factory=dict,
        description="The metadata of all of its tasks, the end customer's name among it; no other can be said",
        examples=[{"customer": "u-17"}],
        json_schema_extra=storable_keys,
    )
    webhook_url: HttpUrl | None = Field(None, description="Is told when a task of it has ended")
    uploads: UploadTermsDocument | None = Field(None, description="Files that may be brought by it; null: none")

    def request(self, limit_bytes: int) -> TokenRequest:
        """The same as the lifecycle takes it. Raises `BadInput`."""
        if (self.tasks is None) == (self.models is None):
            raise BadInput(
                "A client token is for tasks that are there, or for models.",
                [Problem("/models", "give either `tasks` or `models`")],
            )
        if self.models is not None:
            orders = self._orders(self.models, limit_bytes)
            return TokenRequest(self.expires_in_s, orders=orders, may_cancel=self.may_cancel)
        beside = [name for name in _OF_ORDERS if name in self.model_fields_set]
        if beside:
            said = "it says what may be submitted, and a token for `tasks` submits nothing"
            raise BadInput("Such a client token submits nothing.", [Problem(f"/{name}", said) for name in beside])
        return TokenRequest(self.expires_in_s, tasks=tuple(self.tasks or ()), may_cancel=self.may_cancel)

    def _orders(self, models: list[str], limit_bytes: int) -> OrderTerms:
        return OrderTerms(
            models=tuple(dict.fromkeys(models)),
            max_tasks=self.max_tasks,
            max_usd=None if self.max_usd is None else Decimal(self.max_usd),
            input=self.input,
            fields=None if self.input_fields is None else frozenset(self.input_fields),
            metadata=self.metadata,
            webhook_url=self.webhook_url,
            uploads=self.uploads.terms(limit_bytes) if self.uploads else NO_UPLOADS,
        )


class ClientTokenUsageDocument(Document):
    """What was done by a client token."""

    model_config = ConfigDict(title="ClientTokenUsage")

    tasks: int
    """Tasks that were submitted by it."""
    usd: Amount
    """What those have cost, and may still cost, in US dollars."""
    files: int
    """Files that were asked for by it."""


class ClientTokenDocument(Document):
    """A client token without its secret."""

    model_config = ConfigDict(title="ClientToken")

    id: UUID
    created_at: Time
    expires_at: Time
    revoked_at: Time | None
    tasks: list[UUID]
    """The tasks that it was made for."""
    models: list[str]
    """The models and routes that may be asked for by it."""
    may_cancel: bool
    max_tasks: int | None
    max_usd: Amount | None
    input_fields: list[str] | None
    """The fields of the input that may be said beside those that are fixed; null: any."""
    uploads: UploadTermsDocument | None
    usage: ClientTokenUsageDocument

    @classmethod
    def of(cls, token: ClientToken, usage: ScopeUsage) -> "ClientTokenDocument":
        """From the domain's values."""
        orders = token.orders
        uploads = orders.uploads if orders else NO_UPLOADS
        return cls(
            id=token.id,
            created_at=token.created_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            tasks=sorted(token.tasks),
            models=list(orders.models) if orders else [],
            may_cancel=token.may_cancel,
            max_tasks=orders.max_tasks if orders else None,
            max_usd=orders.max_usd if orders else None,
            input_fields=sorted(orders.fields) if orders and orders.fields is not None else None,
            uploads=UploadTermsDocument(
                max_files=uploads.files, max_bytes=uploads.max_bytes, media_type=uploads.media_type
            )
            if uploads.files
            else None,
            usage=ClientTokenUsageDocument(tasks=usage.total_tasks, usd=usage.total_usd, files=len(token.uploads)),
        )


class CreatedClientTokenDocument(ClientTokenDocument):
    """A new client token with its secret, which is shown this once."""

    model_config = ConfigDict(title="CreatedClientToken")

    token: str = Field(examples=["gpct_live_Qm7x…"], repr=False)
    """The secret itself: what a page puts behind `Authorization: Bearer`. Only its SHA-256 is kept."""


class ClientTokenList(Document):
    """Client tokens that are good, newest first."""

    data: list[ClientTokenDocument]

"""API keys as callers see them, ask for them and change them."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.api.schemas.numbers import whole_number
from genpulse.api.schemas.tasks.documents import PRIORITY_WORDS, PriorityWord
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.keys.api_key import HEAVIEST, ApiKey, KeyLimits, KeyState, Scope
from genpulse.domain.money.allowance import NO_LIMITS, Allowance, ScopeUsage
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority

METADATA = "metadata."
_NEEDED = "name the field of the metadata that tells end customers apart, such as metadata.customer"
_DAY_S = 24 * 3600
_MOST = 2**31 - 1
Name = Annotated[
    str,
    StringConstraints(
        max_length=100,
        pattern=r"^[^\u0000-\u0020\u007f-\u00a0]([^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0])?$",
    ),
]


_Number = BeforeValidator(whole_number)
Count = Annotated[int, Field(ge=1, le=_MOST), _Number]
Dollars = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
LimitBy = Annotated[str, StringConstraints(pattern=r"^metadata\.[^\u0000]{1,64}$")]
RateWord = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}/(s|min|h)$")]
ExpirySeconds = Annotated[int, Field(ge=60, le=3650 * _DAY_S), _Number]


class LimitsChangeDocument(BaseModel):
    """How much a key may do. What is left out stays as it is, null is no limit; days are those of UTC.

    The weight is its share while tasks of several keys wait; null is 1.
    """

    model_config = ConfigDict(title="LimitsChange", extra="forbid", frozen=True, hide_input_in_errors=True)

    max_active_tasks: Count | None = Field(None, description="Tasks that have not ended, at most", examples=[50])
    daily_tasks: Count | None = Field(None, description="Tasks a day, at most", examples=[1000])
    daily_usd: Dollars | None = Field(
        None, description="US dollars a day, by the prices that models tell, at most", examples=["25"]
    )
    monthly_usd: Dollars | None = Field(
        None, description="US dollars a calendar month, by the prices that models tell, at most", examples=["400"]
    )
    rate: RateWord | None = Field(None, description="Calls in a time, at most", examples=["10/s"])
    max_priority: PriorityWord | None = Field(None, description="The highest priority of its tasks")
    retain_s: Annotated[int, Field(ge=0, le=3650 * _DAY_S), _Number] | None = Field(
        None, description="Its tasks are deleted so many seconds after their end at the latest", examples=[604800]
    )
    limit_by: LimitBy | None = Field(
        None,
        description=(
            "The field of the metadata that says for which end customer a task is: each task has to have it, and"
            " each of its values has the limits that begin with `customer_`. Null lifts those, too"
        ),
        examples=["metadata.customer"],
    )
    customer_max_active_tasks: Count | None = Field(
        None, description="Tasks of one end customer that have not ended, at most", examples=[2]
    )
    customer_daily_tasks: Count | None = Field(
        None, description="Tasks of one end customer a day, at most", examples=[20]
    )
    customer_daily_usd: Dollars | None = Field(
        None, description="US dollars of one end customer a day, at most", examples=["1"]
    )
    customer_monthly_usd: Dollars | None = Field(
        None, description="US dollars of one end customer a calendar month, at most", examples=["15"]
    )

    weight: Annotated[int, Field(ge=1, le=HEAVIEST), _Number] | None = Field(
        None,
        description="So many of its tasks start in its turn, while tasks of other keys wait as well. It holds for"
        " what waits already",
        examples=[3],
    )

    def changed(self, limits: KeyLimits) -> KeyLimits:
        """The limits after this. Raises `BadInput` where nothing tells the customers apart that it limits."""
        values: dict[str, Any] = {
            "max_active_tasks": self.max_active_tasks,
            "daily_tasks": self.daily_tasks,
            "daily_usd": None if self.daily_usd is None else Decimal(self.daily_usd),
            "rate": None if self.rate is None else Rate.parse(self.rate),
            "max_priority": None if self.max_priority is None else Priority[self.max_priority.upper()],
            "retain_s": self.retain_s,
            "weight": self.weight or 1,
            "monthly_usd": None if self.monthly_usd is None else Decimal(self.monthly_usd),
            "limit_by": None if self.limit_by is None else self.limit_by.removeprefix(METADATA),
        }
        changes = {name: values[name] for name in self.model_fields_set if name in values}
        ends = "limit_by" in self.model_fields_set and self.limit_by is None
        customer = self._customer(NO_LIMITS if ends else limits.customer)
        changed = replace(limits, **changes, customer=customer)
        if changed.limit_by is None and customer.limits_anything:
            raise BadInput("The limits of end customers need `limit_by`.", [Problem("/limits/limit_by", _NEEDED)])
        return changed

    def _customer(self, current: Allowance) -> Allowance:
        daily_usd, monthly_usd = self.customer_daily_usd, self.customer_monthly_usd
        values: dict[str, Any] = {
            "max_active_tasks": self.customer_max_active_tasks,
            "daily_tasks": self.customer_daily_tasks,
            "daily_usd": None if daily_usd is None else Decimal(daily_usd),
            "monthly_usd": None if monthly_usd is None else Decimal(monthly_usd),
        }
        return replace(
            current,
            **{name: value for name, value in values.items() if f"customer_{name}" in self.model_fields_set},
        )


class NewKeyDocument(BaseModel):
    """A key that is asked for. Fields that are not listed are refused."""

    model_config = ConfigDict(title="NewKey", extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Name = Field(description="Who or what uses it", examples=["shop"])
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))] = Field(
        default=[Scope.READ, Scope.WRITE], description="What it is good for"
    )
    expires_in_s: ExpirySeconds | None = Field(None, description="For so many seconds; null for ever")
    limits: LimitsChangeDocument = Field(
        default_factory=LimitsChangeDocument, description="How much it may do; none are left out"
    )

    def key(self, key_id: UUID, hint: str, now: datetime) -> ApiKey:
        """The key."""
        expires_at = _expiry(self.expires_in_s, now)
        limits = self.limits.changed(KeyLimits())
        return ApiKey(key_id, self.name, hint, frozenset(self.scopes), now, limits, expires_at)


class KeyChangeDocument(BaseModel):
    """What is to be different about a key. What is left out stays. Fields that are not listed are refused."""

    model_config = ConfigDict(title="KeyChange", extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Name | None = Field(None, description="Who or what uses it; null: it stays", examples=["shop"])
    expires_in_s: ExpirySeconds | None = Field(None, description="For so many seconds from now; null for ever")
    limits: LimitsChangeDocument = Field(default_factory=LimitsChangeDocument, description="How much it may do")

    def changed(self, key: ApiKey, now: datetime) -> ApiKey:
        """The key after this."""
        keeps = "expires_in_s" not in self.model_fields_set
        expires_at = key.expires_at if keeps else _expiry(self.expires_in_s, now)
        return replace(
            key, name=self.name or key.name, expires_at=expires_at, limits=self.limits.changed(key.limits)
        )

    def fields(self) -> tuple[str, ...]:
        """The fields that it names, as `excess` does."""
        limits = (f"limits/{name}" for name in self.limits.model_fields_set)
        return (*sorted(self.model_fields_set - {"limits"}), *sorted(limits))


def _expiry(seconds: int | None, now: datetime) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


class KeyLimitsDocument(Document):
    """How much a key may do; null: no limit. Days are those of UTC."""

    model_config = ConfigDict(title="KeyLimits")

    max_active_tasks: int | None
    daily_tasks: int | None
    daily_usd: Amount | None
    rate: str | None = Field(examples=["10/s"])
    max_priority: PriorityWord | None
    retain_s: int | None
    weight: int = Field(examples=[1])
    """So many of its tasks start in its turn, while tasks of other keys wait as well."""
    monthly_usd: Amount | None
    limit_by: str | None = Field(examples=["metadata.customer"])
    """The field of the metadata that says for which end customer a task is."""
    customer_max_active_tasks: int | None
    customer_daily_tasks: int | None
    customer_daily_usd: Amount | None
    customer_monthly_usd: Amount | None

    @classmethod
    def of(cls, limits: KeyLimits) -> "KeyLimitsDocument":
        """From the domain's value."""
        return cls(
            max_active_tasks=limits.max_active_tasks,
            daily_tasks=limits.daily_tasks,
            daily_usd=limits.daily_usd,
            rate=str(limits.rate) if limits.rate else None,
            max_priority=None if limits.max_priority is None else PRIORITY_WORDS[limits.max_priority],
            retain_s=limits.retain_s,
            weight=limits.weight,
            monthly_usd=limits.monthly_usd,
            limit_by=None if limits.limit_by is None else f"{METADATA}{limits.limit_by}",
            customer_max_active_tasks=limits.customer.max_active_tasks,
            customer_daily_tasks=limits.customer.daily_tasks,
            customer_daily_usd=limits.customer.daily_usd,
            customer_monthly_usd=limits.customer.monthly_usd,
        )


class KeyUsageDocument(Document):
    """What a key has done."""

    model_config = ConfigDict(title="KeyUsage")

    active_tasks: int
    """Tasks that have not ended."""
    today_tasks: int
    """Tasks that were submitted today (UTC)."""
    today_usd: Amount
    """What those have cost, and may still cost, in US dollars."""
    month_usd: Amount
    """The same of this calendar month (UTC)."""

    @classmethod
    def of(cls, usage: ScopeUsage) -> "KeyUsageDocument":
        """From the domain's value."""
        return cls(
            active_tasks=usage.active_tasks,
            today_tasks=usage.today_tasks,
            today_usd=usage.today_usd,
            month_usd=usage.month_usd,
        )


class ApiKeyDocument(Document):
    """An API key without its secret."""

    model_config = ConfigDict(title="ApiKey")

    id: UUID
    name: str
    hint: str = Field(examples=["Qm7x"])
    """How the random part of its secret begins."""
    scopes: list[Scope]
    state: KeyState
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Time | None
    """Within a minute; null when it was never used."""
    webhook_secret_at: Time | None
    """Since when it has a webhook secret of its own; null: the shared one signs."""
    limits: KeyLimitsDocument
    usage: KeyUsageDocument

    @classmethod
    def of(cls, key: ApiKey, usage: ScopeUsage, now: datetime) -> "ApiKeyDocument":
        """From the domain's values."""
        return cls(
            id=key.id,
            name=key.name,
            hint=key.hint,
            scopes=sorted(key.scopes),
            state=key.state(now),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            webhook_secret_at=key.webhook_secret_at,
            limits=KeyLimitsDocument.of(key.limits),
            usage=KeyUsageDocument.of(usage),
        )


class CreatedKeyDocument(ApiKeyDocument):
    """A new API key with its secret, which is shown this once."""

    model_config = ConfigDict(title="CreatedKey")

    key: str = Field(examples=["gp_live_Qm7x…"], repr=False)
    """The secret itself: what goes behind `Authorization: Bearer`. Only its SHA-256 is kept."""


class ApiKeyList(Document):
    """All API keys, oldest first."""

    data: list[ApiKeyDocument]

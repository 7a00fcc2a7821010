"""Limits as callers see them, with what is used of each."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import ConfigDict, Field

from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.domain.money.allowance import LimitUse, Measure, Period, ScopeKind


class LimitUseDocument(Document):
    """One limit, and how much of it is used."""

    model_config = ConfigDict(title="LimitUse")

    scope: ScopeKind
    """For whom it counts."""
    name: str = Field(examples=["fal"])
    """The provider, the id of the API key, or the end customer; empty for the environment as a whole."""
    measure: Measure
    """What is counted: US dollars that are spent or promised, tasks, or tasks that have not ended."""
    used: Amount
    limit: Amount
    period: Period | None = None
    """In which time, in UTC; left out for what counts at all times."""
    resets_at: Time | None = None
    """When the next day or month begins; left out for what counts at all times."""

    @classmethod
    def of(cls, use: LimitUse) -> "LimitUseDocument":
        """From the domain's value."""
        return cls(
            scope=use.scope.kind,
            name=use.scope.name,
            measure=use.measure,
            period=use.period,
            used=use.used,
            limit=use.limit,
            resets_at=use.resets_at,
        )


class BudgetDocument(LimitUseDocument):
    """A limit that holds here."""

    model_config = ConfigDict(title="Budget")

    period: Period | None
    """In which time, in UTC; null for what counts at all times."""
    resets_at: Time | None
    """When the next day or month begins; null for what counts at all times."""
    key_name: str | None = Field(examples=["shop"])
    """The name of the API key that it is of; null for other limits."""

    @classmethod
    def named(cls, use: LimitUse, names: Mapping[UUID, str]) -> "BudgetDocument":
        """From the domain's value, with the names of keys."""
        key_name = names.get(UUID(use.scope.name)) if use.scope.kind is ScopeKind.KEY else None
        return cls(**dict(LimitUseDocument.of(use)), key_name=key_name)


class BudgetList(Document):
    """All limits that the caller may see."""

    data: list[BudgetDocument]

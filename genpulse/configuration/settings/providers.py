"""Sections of providers, and of how their accounts are treated."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from genpulse.configuration.settings.values import (
    Optional,
    OptionalDollars,
    OptionalSecret,
    Section,
    empty_is_unset,
    lists_as_text,
)
from genpulse.domain.provider_account.rate import PATTERN


class Circuit(Section):
    """When an account that does not work is left alone, so that waiting tasks are not wasted on it."""

    failures: int = Field(5, ge=1, le=1000, description="Failures in a row after which nothing is sent.")
    first_s: float = Field(
        5, gt=0, le=3600, description="Seconds until one task tries again; each wait is longer."
    )
    longest_s: float = Field(300, gt=0, le=3600, description="Seconds that a wait lasts at most.")


class Retry(Section):
    """When failed attempts are made again."""

    max_attempts: int = Field(
        5, ge=1, le=100, description="Failures of one task at most, after the last of which it ends."
    )
    base_s: float = Field(1, gt=0, le=3600, description="Seconds before the second attempt; each wait is longer.")
    longest_s: float = Field(300, gt=0, le=86400, description="Seconds that a wait lasts at most.")


class Budget(Section):
    """What all may cost together."""

    daily_usd: OptionalDollars = Field(
        None,
        description="US dollars that providers with a known price may cost a day (UTC); empty: no limit.",
    )
    monthly_usd: OptionalDollars = Field(
        None, description="US dollars that they may cost a calendar month (UTC); empty: no limit."
    )
    warn_at: float = Field(
        0.8,
        gt=0,
        le=1,
        description=(
            "The part of a budget of all, of a provider or of an API key at which somebody is warned, once a day"
            " or month."
        ),
    )
    warning_url: Optional = Field(
        None, description="Where such a warning is sent as a signed webhook; empty: it stands in the log alone."
    )


class CatalogueSection(Section):
    """Models of the team's own."""

    folder: Optional = Field(
        None,
        description=(
            "Folder with files of models that are added, or whose prices, limits and dates differ from ours; a"
            " relative path begins at the project. Empty: none."
        ),
    )


class ProviderSection(Section):
    """One provider."""

    enabled: bool = Field(default=True, description="Whether its models are offered.")
    paid: bool | None = Field(
        None, description="Whether it may be used although it costs money; empty: as providers.paid says."
    )
    api_key: OptionalSecret = Field(None, description="Key of the account.")
    base_url: Optional = Field(None, description="Address of its server.")
    concurrency: int | None = Field(None, ge=1, description="Tasks at once over all workers; empty: no limit.")
    rate: Annotated[str | None, BeforeValidator(empty_is_unset)] = Field(
        None,
        pattern=PATTERN,
        description="Tasks that start in a time over all workers, such as 5/s or 60/min; empty: no limit.",
    )
    daily_usd: OptionalDollars = Field(
        None, description="US dollars that it may cost a day (UTC); empty: as all together."
    )
    monthly_usd: OptionalDollars = Field(
        None, description="US dollars that it may cost a calendar month (UTC); empty: as all together."
    )
    on_unknown: Literal["fail", "resubmit"] = Field(
        "fail",
        description=(
            "When a request may have been taken and nobody can tell: fail the task, or resubmit it and perhaps pay"
            " twice."
        ),
    )
    adapter: Optional = Field(
        None,
        description="Adapter that serves this name, such as openai_compatible; empty: the plug-in of that name.",
    )
    models: dict[str, str] = Field(
        default_factory=dict,
        description="Models besides the known ones: names, with commas, for image, background, speech, video.",
    )
    options: Annotated[dict[str, str | int | float | bool], BeforeValidator(lists_as_text)] = Field(
        default_factory=dict, repr=False, description="What else the provider reads, such as allowed_hosts."
    )


class Providers(BaseModel):
    """All providers: what holds for each, and a section by name."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, ProviderSection] = Field(init=False)

    paid: bool = Field(
        default=False, description="Whether providers that cost money may be used in this environment."
    )

    @property
    def named(self) -> dict[str, ProviderSection]:
        """The sections by the provider's name."""
        return dict(self.__pydantic_extra__ or {})

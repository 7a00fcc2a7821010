"""Sections of what happens when a task has ended."""

from pydantic import Field

from genpulse.configuration.settings.values import Optional, OptionalDays, OptionalSecret, Section


class Webhooks(Section):
    """Deliveries to other systems."""

    secret: OptionalSecret = Field(
        None, description="Signs them: whsec_ and base64, or any text, whose bytes are the key."
    )
    old_secrets: OptionalSecret = Field(
        None,
        description=(
            "Secrets that sign beside it while receivers change over to the new one, with blanks between them."
        ),
    )
    sealing_keys: OptionalSecret = Field(
        None,
        description=(
            "32 random bytes in base64, by which webhook secrets of API keys are kept sealed; several with blanks"
            " between them, of which the first seals and all open. Needed where keys have secrets of their own."
        ),
    )
    public_url: Optional = Field(
        None,
        description=(
            "Where vendors reach this installation, https://…, so that they can tell when a job has ended; empty:"
            " they are only polled."
        ),
    )
    allow_private: bool | None = Field(
        None,
        description="Whether they may go to addresses that are not public; empty: in development alone.",
    )


class RetentionSection(Section):
    """How long what has ended is kept."""

    tasks_days: OptionalDays = Field(
        90,
        ge=1,
        le=36500,
        description="Days after its end for which a task is kept, with its idempotency key; empty: for ever.",
    )
    assets_days: OptionalDays = Field(
        90,
        ge=1,
        le=36500,
        description="Days for which an asset is kept that no kept task made or names; empty: for ever.",
    )
    tombstones_days: OptionalDays = Field(
        90,
        ge=1,
        le=36500,
        description="Days for which it is known that a task was deleted, with what it has cost and without what it"
        " was; its idempotency key is taken again afterwards; empty: for ever.",
    )
    ledger_days: OptionalDays = Field(
        None,
        ge=1,
        le=36500,
        description="Days for which it is kept what was reserved and spent on a day; empty: for ever.",
    )
    every_s: float = Field(3600, ge=1, le=604800, description="Seconds between two looks for what is too old.")
    grace_s: float = Field(
        86400,
        ge=3600,
        le=31536000,
        description="More seconds than ever pass between storing bytes and committing the asset that has them.",
    )
    batch: int = Field(1000, ge=1, le=10_000, description="Rows that are removed in one transaction.")

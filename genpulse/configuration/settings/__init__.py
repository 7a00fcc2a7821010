"""The settings, typed and frozen.

Each field says what it means; the reference and `.env.example` are made from this file.
"""

from genpulse.configuration.settings.api import Api
from genpulse.configuration.settings.process import Log, Release
from genpulse.configuration.settings.providers import (
    Budget,
    Circuit,
    Providers,
    ProviderSection,
    Retry,
)
from genpulse.configuration.settings.routes import RouteSection, RouteStepSection
from genpulse.configuration.settings.services import Database, RedisSection, Storage
from genpulse.configuration.settings.settings import Settings
from genpulse.configuration.settings.tasks import RetentionSection, Webhooks
from genpulse.configuration.settings.values import (
    Optional,
    OptionalDays,
    OptionalDollars,
    OptionalPath,
    OptionalSecret,
    Section,
)
from genpulse.configuration.settings.worker import Worker

__all__ = [
    "Api",
    "Budget",
    "Circuit",
    "Database",
    "Log",
    "Optional",
    "OptionalDays",
    "OptionalDollars",
    "OptionalPath",
    "OptionalSecret",
    "ProviderSection",
    "Providers",
    "RedisSection",
    "Release",
    "RetentionSection",
    "Retry",
    "RouteSection",
    "RouteStepSection",
    "Section",
    "Settings",
    "Storage",
    "Webhooks",
    "Worker",
]

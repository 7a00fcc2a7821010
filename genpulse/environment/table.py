"""The environments: a closed table, and the only place that knows these words."""

from dataclasses import dataclass
from typing import Literal

DatabaseMode = Literal["local", "shared", "cluster"]
ServiceMode = Literal["auto-spawn", "dedicated-service", "dedicated-cluster"]


@dataclass(frozen=True, slots=True)
class Environment:
    """A row of the table.

    `name` is the value of `ENV`, `dynaconf` that of `ENV_FOR_DYNACONF`. `key_prefix` begins every key in Redis,
    `api_key_prefix` every API key. `db_mode` and `services` say whose PostgreSQL and Redis are used.
    """

    name: str
    dynaconf: str
    branch: str
    key_prefix: str
    api_key_prefix: str
    db_mode: DatabaseMode
    services: ServiceMode
    target: str

    @property
    def spawns_services(self) -> bool:
        """Whether missing servers are started here, data may be thrown away, and people read the log."""
        return self.services == "auto-spawn"

    @property
    def shows_provider_errors(self) -> bool:
        """Whether a task says what a plug-in raised unexpectedly, for its author; elsewhere the log alone does."""
        return self.db_mode == "local"

    @property
    def is_production(self) -> bool:
        """Whether customers are on it: nothing unsafe is assumed there, and nothing destructive exists."""
        return self.db_mode == "cluster"


DEVELOPMENT = Environment(
    name="dev",
    dynaconf="development",
    branch="dev",
    key_prefix="dev:",
    api_key_prefix="gp_dev_",
    db_mode="local",
    services="auto-spawn",
    target="Development / Sandbox",
)
TESTING = Environment(
    name="test",
    dynaconf="testing",
    branch="test",
    key_prefix="test:",
    api_key_prefix="gp_test_",
    db_mode="shared",
    services="dedicated-service",
    target="Testing / QA",
)
PRODUCTION = Environment(
    name="main",
    dynaconf="production",
    branch="main",
    key_prefix="prod:",
    api_key_prefix="gp_live_",
    db_mode="cluster",
    services="dedicated-cluster",
    target="Production",
)

ENVIRONMENTS = (DEVELOPMENT, TESTING, PRODUCTION)
BY_NAME = {environment.name: environment for environment in ENVIRONMENTS}
BY_DYNACONF = {environment.dynaconf: environment for environment in ENVIRONMENTS}
LOCAL = DEVELOPMENT
"""What is meant where nothing is named."""


def environment_named(word: str) -> Environment | None:
    """The row that a person means by either of its names; None when there is none."""
    name = word.strip().lower()
    return BY_NAME.get(name) or BY_DYNACONF.get(name)

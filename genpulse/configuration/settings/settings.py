"""All sections together."""

from pathlib import Path

from pydantic import ConfigDict, Field

from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.configuration.settings.api import ANY_ADDRESS, DRAIN_S, Api
from genpulse.configuration.settings.console import ConsoleSection
from genpulse.configuration.settings.doors import DoorsSection
from genpulse.configuration.settings.observation import SentrySection, TracingSection
from genpulse.configuration.settings.process import Log, Release
from genpulse.configuration.settings.providers import Budget, CatalogueSection, Circuit, Providers, Retry
from genpulse.configuration.settings.routes import RouteSection
from genpulse.configuration.settings.services import Database, RedisSection, Storage
from genpulse.configuration.settings.tasks import RetentionSection, Webhooks
from genpulse.configuration.settings.values import OptionalSecret, Section
from genpulse.configuration.settings.worker import Worker
from genpulse.environment.table import Environment


class Settings(Section):
    """Everything that can be configured.

    `environment` is the row of the table, `decided_by` what named it, `root` the folder at which relative paths
    begin, `proxies` are those of the process environment; these four are found and not configured.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    environment: Environment
    decided_by: str
    root: Path
    proxies: Proxies = NO_PROXIES
    database_url: OptionalSecret = Field(
        None,
        description=(
            "postgresql://user:password@host:5432/database; several hosts separated by commas."
            " `genpulse dev` starts a server of its own when it is empty."
        ),
    )
    api_key: OptionalSecret = Field(None, description="Key with which the command line calls the API.")
    database: Database = Field(default_factory=Database)
    redis: RedisSection = Field(default_factory=RedisSection)
    storage: Storage = Field(default_factory=Storage)
    api: Api = Field(default_factory=Api)
    doors: DoorsSection = Field(default_factory=DoorsSection)
    console: ConsoleSection = Field(default_factory=ConsoleSection)
    worker: Worker = Field(default_factory=Worker)
    retry: Retry = Field(default_factory=Retry)
    circuit: Circuit = Field(default_factory=Circuit)
    log: Log = Field(default_factory=Log)
    tracing: TracingSection = Field(default_factory=TracingSection)
    sentry: SentrySection = Field(default_factory=SentrySection)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    budget: Budget = Field(default_factory=Budget)
    retention: RetentionSection = Field(default_factory=RetentionSection)
    release: Release = Field(default_factory=Release)
    catalogue: CatalogueSection = Field(default_factory=CatalogueSection)
    providers: Providers = Field(default_factory=Providers)
    routes: dict[str, RouteSection] = Field(
        default_factory=dict,
        description="Routes by their names: several models, of which the next is tried where one refuses.",
    )

    @property
    def key_prefix(self) -> str:
        """What every key in Redis begins with."""
        namespace = f"{self.redis.namespace}:" if self.redis.namespace else ""
        return f"{self.environment.key_prefix}{namespace}"

    @property
    def api_url(self) -> str:
        """Where the API is, without a slash at its end: `api.public_url`, else this machine and `api.port`."""
        if self.api.public_url:
            return self.api.public_url.rstrip("/")
        host = ANY_ADDRESS.get(self.api.host, self.api.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.api.port}"

    @property
    def listens_everywhere(self) -> bool:
        """Whether `api.host` is every address of this machine, and so the address of nothing."""
        return self.api.host in ANY_ADDRESS

    @property
    def is_observed(self) -> bool:
        """Whether anybody outside is told what happens within a request or an attempt."""
        return self.tracing.otlp_url is not None or self.sentry.dsn is not None

    @property
    def serves_console(self) -> bool:
        """Whether the API serves the console."""
        return self.environment.spawns_services if self.console.enabled is None else self.console.enabled

    @property
    def drain_s(self) -> float:
        """Seconds for which the API still takes requests when it is told to stop."""
        if self.api.drain_s is not None:
            return self.api.drain_s
        return 0.0 if self.environment.spawns_services else DRAIN_S

    @property
    def storage_url(self) -> str:
        """The storage's URL with an absolute path."""
        scheme, _, path = self.storage.url.partition(":")
        if scheme != "file" or path.startswith("//"):
            return self.storage.url
        return (self.root / path).resolve().as_uri()

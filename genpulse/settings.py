"""The settings, typed and frozen, as the rest of the house gets them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from genpulse.environment.table import Environment

_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")


def _empty_is_unset(value: object) -> object:
    return None if value == "" else value


Optional = Annotated[str | None, BeforeValidator(_empty_is_unset)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_unset)]


class Section(BaseModel):
    """A group of settings: unknown names are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    """`pool_size`: connections of one process at most."""

    pool_size: int = Field(10, ge=2, le=1000)


class RedisSection(Section):
    """`namespace` is put behind the environment's key prefix."""

    url: OptionalSecret = None
    namespace: str = Field("", pattern=r"^[a-zA-Z0-9_.-]*$")


class Storage(Section):
    """Where assets are kept, and where streams wait until they are."""

    url: str = "file:.genpulse/storage"
    spool_dir: Annotated[Path | None, BeforeValidator(_empty_is_unset)] = None


class Api(Section):
    """`grace_s`: seconds that open requests get when the API stops."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_url: Optional = None
    body_limit_bytes: int = Field(1 << 20, ge=1024)
    upload_limit_bytes: int = Field(2 << 30, ge=1024)
    grace_s: int = Field(3, ge=0, le=3600)


class Worker(Section):
    """`concurrency` tasks at once, claimed `batch` at a time; times in seconds."""

    concurrency: int = Field(1000, ge=1, le=100_000)
    batch: int = Field(100, ge=1, le=1000)
    lease_s: float = Field(15, ge=1, le=3600)
    grace_s: float = Field(30, ge=0, le=86400)


class Retry(Section):
    """When failed attempts are tried again; times in seconds."""

    max_attempts: int = Field(5, ge=1, le=100)
    base_s: float = Field(1, gt=0, le=3600)
    longest_s: float = Field(300, gt=0, le=86400)


class Log(Section):
    """`auto` is text for people in dev and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Webhooks(Section):
    """What signs them."""

    secret: OptionalSecret = None


class ProviderSection(Section):
    """`concurrency` tasks at once over all workers; `rate` such as `5/s` or `60/min`."""

    enabled: bool = True
    api_key: OptionalSecret = None
    base_url: Optional = None
    concurrency: int | None = Field(None, ge=1)
    rate: str | None = Field(None, pattern=r"^\d+/(s|min|h)$")
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)


class Settings(Section):
    """Everything that can be configured. `root` is the folder that relative paths begin at."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    environment: Environment
    decided_by: str
    root: Path
    database_url: OptionalSecret = None
    database: Database = Field(default_factory=Database)
    redis: RedisSection = Field(default_factory=RedisSection)
    storage: Storage = Field(default_factory=Storage)
    api: Api = Field(default_factory=Api)
    worker: Worker = Field(default_factory=Worker)
    retry: Retry = Field(default_factory=Retry)
    log: Log = Field(default_factory=Log)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    providers: dict[str, ProviderSection] = Field(default_factory=dict)

    @field_validator("database_url")
    @classmethod
    def _only_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and url.get_secret_value().partition("://")[0] not in _SCHEMES:
            raise ValueError("must begin with postgresql://; PostgreSQL is the only database")
        return url

    @property
    def key_prefix(self) -> str:
        """What every key in Redis begins with."""
        namespace = f"{self.redis.namespace}:" if self.redis.namespace else ""
        return f"{self.environment.key_prefix}{namespace}"

    @property
    def storage_url(self) -> str:
        """The storage's URL with an absolute path."""
        scheme, _, path = self.storage.url.partition(":")
        if scheme != "file" or path.startswith("//"):
            return self.storage.url
        return (self.root / path).resolve().as_uri()

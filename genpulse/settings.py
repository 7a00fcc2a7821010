"""The settings, typed and frozen, as the rest of the house gets them.

Each field says what it means; the reference and `.env.example` are made from this file.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.domain.rate import PATTERN
from genpulse.environment.namespace import NAMESPACE
from genpulse.environment.table import Environment

_DRAIN_S = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1", "0": "127.0.0.1"}
"""Every address of a machine, and that which is it itself."""

PROVIDERS_OWN = ("paid",)
"""Names below `providers` that are settings of all of them, and so no names of providers."""


def _empty_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _bare(value: object) -> object:
    """Secrets and addresses come out of files and dialogs with blanks and line ends around them, and have none."""
    return (value.strip() or None) if isinstance(value, str) else value


def _lists_are_text(options: object) -> object:
    """A list of texts is one text with commas, as a variable would say it."""
    if not isinstance(options, dict):
        return options
    return {
        name: ", ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value
        for name, value in options.items()
    }


Optional = Annotated[str | None, BeforeValidator(_bare)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_bare)]
OptionalPath = Annotated[Path | None, BeforeValidator(_empty_is_unset)]
OptionalDays = Annotated[int | None, BeforeValidator(_empty_is_unset)]
OptionalDollars = Annotated[Decimal | None, BeforeValidator(_empty_is_unset)]


class Section(BaseModel):
    """A group of settings: unknown names are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Database(Section):
    """PostgreSQL."""

    pool_size: int = Field(10, ge=2, le=1000, description="Connections of one process at most.")
    statement_timeout_s: float = Field(
        20, gt=0, le=3600, description="Seconds after which PostgreSQL gives a statement up."
    )
    allow_remote: bool = Field(
        default=False,
        description="Lets development use a database on another machine, where others may work in it.",
    )
    allow_loopback: bool = Field(
        default=False,
        description="Lets testing and production use a database on this machine, such as a proxy beside them.",
    )
    allow_plaintext: bool = Field(default=False, description="Lets production reach the database without TLS.")


class RedisSection(Section):
    """Redis or Valkey: live events and presence. It may be lost; no task is."""

    url: OptionalSecret = Field(
        None,
        description=(
            "redis://, rediss:// (TLS), unix://, redis+sentinel://host:26379,host:26379/service/0 or"
            " redis+cluster://host:7000,host:7001. Sentinels get the server's login and TLS (rediss+sentinel://)"
            " unless ?sentinel_username=…&sentinel_password=… says another. `genpulse dev` starts a server of its"
            " own when it is empty."
        ),
    )
    namespace: str = Field(
        "",
        pattern=NAMESPACE,
        description="A name of your own behind the environment's key prefix, for developers who share a server.",
    )
    allow_loopback: bool | None = Field(
        None,
        description=(
            "Lets testing and production use a Redis on this machine; empty: as database.allow_loopback says."
        ),
    )
    allow_plaintext: bool = Field(default=False, description="Lets production reach Redis without TLS.")


class Storage(Section):
    """Where assets are kept, and where streams wait until they are."""

    url: str = Field(
        "file:.genpulse/storage", description="file:folder, file:///folder, s3://bucket/prefix, gs://…, az://…"
    )
    endpoint: Optional = Field(None, description="Address of an S3-compatible server; empty for the cloud's own.")
    region: Optional = Field(None, description="Region of the bucket.")
    access_key_id: OptionalSecret = Field(
        None, description="Key of the bucket; empty: the machine's own identity."
    )
    secret_access_key: OptionalSecret = Field(None, description="Secret of that key.")
    checksum: Literal["auto", "sha256", "crc64nvme", "none"] = Field(
        "auto",
        description=(
            "Checksum that goes to S3 with each object and each part, for the store to compare. auto: sha256 for"
            " Amazon's own, none where storage.endpoint names another, of which some refuse it."
        ),
    )
    spool_dir: OptionalPath = Field(
        None, description="Where streams wait on the local disk until they are stored; empty: the system's folder."
    )
    allow_local: bool = Field(default=False, description="Lets production keep assets in a folder of one machine.")


class Api(Section):
    """The HTTP API."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: Optional = Field(
        None,
        description=(
            "How clients reach the API, for the URLs in its answers and in webhooks; empty: as the request came,"
            " and in webhooks api.host and api.port. Workers of testing and production need it where api.host is"
            " 0.0.0.0."
        ),
    )
    body_limit_bytes: int = Field(1 << 20, ge=1024, description="Bytes of a JSON body at most.")
    upload_limit_bytes: int = Field(2 << 30, ge=1024, description="Bytes of an upload at most.")
    grace_s: int = Field(3, ge=0, le=3600, description="Seconds that open requests get when the API stops.")
    drain_s: float | None = Field(
        None,
        ge=0,
        le=3600,
        description=(
            "Seconds for which requests are still taken after SIGTERM while /readyz says 503, so that a proxy"
            " looks for another one first; empty: 5, and 0 in development."
        ),
    )
    keep_alive_s: int = Field(
        75,
        ge=1,
        le=3600,
        description="Seconds for which an idle connection stays open: longer than proxies in front keep theirs.",
    )
    longest_wait_s: int = Field(
        25,
        ge=1,
        le=60,
        description=(
            "Seconds after which `Prefer: wait` is answered at the latest, whatever is asked: less than proxies in"
            " front wait for an answer."
        ),
    )
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses or networks, with commas, whose X-Forwarded-For and -Proto count; * for all.",
    )
    connections_per_peer: int = Field(
        256,
        ge=1,
        le=1_000_000,
        description=(
            "Connections that one client may have at a time; beyond that its longest silent one is closed. Proxies"
            " that are named in api.trusted_proxies may have more."
        ),
    )
    asset_url_s: int = Field(
        86_400,
        ge=60,
        le=604_800,
        description="Seconds for which the addresses of outputs can be fetched without a key.",
    )


class Worker(Section):
    """A worker process."""

    concurrency: int = Field(1000, ge=1, le=100_000, description="Tasks at once in one process.")
    batch: int = Field(100, ge=1, le=1000, description="Tasks that are claimed at a time.")
    lease_s: float = Field(
        15, ge=1, le=3600, description="Seconds until the tasks of a worker that is gone go to another one."
    )
    grace_s: float = Field(
        30, ge=0, le=86400, description="Seconds that work done in the worker itself gets when the worker stops."
    )
    stop_s: float = Field(
        900,
        ge=0,
        le=86400,
        description=(
            "Seconds that a worker that stops waits for answers to what it has ordered; what is given up then may"
            " be paid for in vain. Whoever ends processes by force must wait for longer."
        ),
    )
    local_threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="Threads in which local engines do heavy work; empty: one for each processor, at least 2.",
    )
    output_limit_bytes: int = Field(8 << 30, ge=1024, description="Bytes of one output at most.")


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


class Log(Section):
    """What is written to standard output."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="auto is text for people in development and JSON elsewhere."
    )


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


class Budget(Section):
    """What may be spent."""

    daily_usd: OptionalDollars = Field(
        None,
        ge=0,
        description="US dollars that providers with a known price may cost a day (UTC); empty: no limit.",
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
    every_s: float = Field(3600, ge=1, le=604800, description="Seconds between two looks for what is too old.")
    grace_s: float = Field(
        86400,
        ge=3600,
        le=31536000,
        description="More seconds than ever pass between storing bytes and committing the asset that has them.",
    )
    batch: int = Field(1000, ge=1, le=10_000, description="Rows that are removed in one transaction.")


class Release(Section):
    """What may be started."""

    require_tag: bool = Field(
        default=True,
        description="Production starts only a build of a final tag (vX.Y.Z); false lets it start any.",
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
    rate: Annotated[str | None, BeforeValidator(_empty_is_unset)] = Field(
        None,
        pattern=PATTERN,
        description="Tasks that start in a time over all workers, such as 5/s or 60/min; empty: no limit.",
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
    options: Annotated[dict[str, str | int | float | bool], BeforeValidator(_lists_are_text)] = Field(
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
    worker: Worker = Field(default_factory=Worker)
    retry: Retry = Field(default_factory=Retry)
    circuit: Circuit = Field(default_factory=Circuit)
    log: Log = Field(default_factory=Log)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    budget: Budget = Field(default_factory=Budget)
    retention: RetentionSection = Field(default_factory=RetentionSection)
    release: Release = Field(default_factory=Release)
    providers: Providers = Field(default_factory=Providers)

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
        host = _EVERYWHERE.get(self.api.host, self.api.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.api.port}"

    @property
    def listens_everywhere(self) -> bool:
        """Whether `api.host` is every address of this machine, and so the address of nothing."""
        return self.api.host in _EVERYWHERE

    @property
    def drain_s(self) -> float:
        """Seconds for which the API still takes requests when it is told to stop."""
        if self.api.drain_s is not None:
            return self.api.drain_s
        return 0.0 if self.environment.spawns_services else _DRAIN_S

    @property
    def storage_url(self) -> str:
        """The storage's URL with an absolute path."""
        scheme, _, path = self.storage.url.partition(":")
        if scheme != "file" or path.startswith("//"):
            return self.storage.url
        return (self.root / path).resolve().as_uri()

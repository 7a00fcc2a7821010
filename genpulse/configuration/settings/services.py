"""Sections of the services that GenPulse depends on."""

from typing import Literal

from pydantic import Field

from genpulse.configuration.settings.values import Optional, OptionalPath, OptionalSecret, Section
from genpulse.environment.namespace import NAMESPACE


class Database(Section):
    """PostgreSQL."""

    pool_size: int = Field(10, ge=2, le=1000, description="Connections of one process at most.")
    pooler: Literal["none", "session", "transaction"] = Field(
        "none",
        description=(
            "How a pooler to which database_url leads, such as PgBouncer, lends its connections. transaction:"
            " nothing is kept in a session, and what needs one goes to database.listen_url."
        ),
    )
    listen_url: OptionalSecret = Field(
        None,
        description=(
            "postgresql://… that leads to PostgreSQL past its pooler, for what needs a session: a worker listens"
            " there for work, and `genpulse db upgrade` upgrades. Empty: database_url, and behind a pooler by"
            " transaction the worker looks for work every half second."
        ),
    )
    prepared_statements: bool = Field(
        default=False,
        description=(
            "Lets pooler: transaction use prepared statements: PgBouncer 1.21 or newer with"
            " max_prepared_statements above 0 keeps account of them."
        ),
    )
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
        None,
        description=(
            "Where streams wait on the local disk until they are stored, in front of a bucket only some of them;"
            " empty: the system's folder."
        ),
    )
    allow_local: bool = Field(default=False, description="Lets production keep assets in a folder of one machine.")

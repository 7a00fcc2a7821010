"""The plan of a local stack: its services and their sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from genpulse.dev.processes.ports import LOOPBACK


class Source(StrEnum):
    """Where servers come from that are not named in the configuration."""

    EMBEDDED = "embedded"
    """The wheels of `genpulse[embedded]`, else programs on PATH."""
    PATH = "path"
    """Programs on PATH alone."""
    DOCKER = "docker"
    """Docker Compose, by the project's `compose.yaml`."""


@dataclass(frozen=True, slots=True)
class ComfyUIPlan:
    """A ComfyUI of this machine to start beside the stack.

    Without `python` that of a virtual environment in the folder runs it. `arguments` are more words for its
    command line, as a shell reads them.
    """

    folder: Path
    python: Path | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """https beside http. Without `port` the usual one is taken where it is free, and else another."""

    port: int | None = None


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What to bring up.

    `home` holds data and state, `folder` is the project. Without `api_port` a free one is chosen. `database_url`
    and `redis_url` name servers that are there already; without them our own are started, from `services`.
    `has_console`: the API serves one. `environment` is what api and worker get; they are started again when a file
    below `watched` changes, or one that lies in a folder of `watched_flat` itself.
    """

    home: Path
    python: str
    folder: Path
    environment: Mapping[str, str]
    api_host: str = LOOPBACK
    api_port: int | None = None
    tls: TlsPlan | None = None
    database_url: str | None = None
    redis_url: str | None = None
    services: Source = Source.EMBEDDED
    comfyui: ComfyUIPlan | None = None
    has_console: bool = True
    watched: tuple[Path, ...] = ()
    watched_flat: tuple[Path, ...] = ()

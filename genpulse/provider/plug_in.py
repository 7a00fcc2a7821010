"""A provider as it is found, and what it is given."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genpulse.domain.text.host_names import parse_hosts
from genpulse.provider.catalogue.builder import ModelBuilder
from genpulse.provider.http import Http, Reply, Request
from genpulse.provider.model import AnyModel

GROUP = "genpulse.providers"
"""Entry points of plug-ins, each under the name of its provider."""
ADAPTERS = "genpulse.adapters"
"""Entry points of plug-ins that serve whatever name an operator gives them."""


async def _nothing() -> None:
    """Close nothing."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A name and its models. `close` is awaited once when the process ends.

    `paid`: asking it may cost money, so that an environment has to allow it. `find_model` gives models that are
    not listed, by name, for vendors with more of them than anybody can list; None where there is no such model.
    `configured`: it has what it needs, such as a key. `needs` are the settings under `providers.<name>` that it
    speaks of: while one that is not configured needs some, its tasks are refused; one that needs none has defaults
    to go on with. `probe` makes the cheapest real call that shows whether the
    account works, says in a few words what it found, and raises a `ProviderError` when it does not. `learn` asks
    the vendor what its models take, keeps that where the plug-in reads it when it is built, and says what it kept.
    `left_out` says of what it could not use, such as a file of the operator's, by its name, why not. `builder`
    makes the models that a team adds in files of its own; None where that cannot be done.
    """

    name: str
    models: tuple[AnyModel, ...]
    close: Callable[[], Awaitable[None]] = _nothing
    title: str = ""
    paid: bool = False
    find_model: Callable[[str], AnyModel | None] | None = None
    configured: bool = True
    needs: tuple[str, ...] = ("api_key",)
    probe: Callable[[], Awaitable[str]] | None = None
    learn: Callable[[], Awaitable[str]] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    builder: ModelBuilder | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"the provider name {self.name!r} is not lower-case letters, digits or '_'")
        names = [model.name for model in self.models]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the provider {self.name!r} has two models named {', '.join(twice)}")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The operator's settings under `providers.<name>`, and the HTTP client of this process.

    `models` are those that the operator added, each with what it does.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)
    http: Http = field(default_factory=lambda: _NoHttp(), repr=False)
    models: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts from which results may be fetched wherever they lie, by the option of that name (`parse_hosts`).

        Raises `ValueError` for what is no host; the configuration has been checked for that.
        """
        return parse_hosts(str(self.options.get("allowed_hosts", "")))


class _NoHttp:
    """Stands for the client where nobody has opened one."""

    async def send(self, request: Request) -> Reply:
        raise _no_http(request.url)

    def fetch_public(self, url: str, **_: object) -> AsyncIterator[bytes]:
        raise _no_http(url)

    def fetch_own(self, url: str, **_: object) -> AsyncIterator[bytes]:
        raise _no_http(url)

    def websocket(self, url: str, headers: Mapping[str, str]) -> Any:  # noqa: ARG002 - as in `Http`
        raise _no_http(url)


def _no_http(url: str) -> RuntimeError:
    return RuntimeError(f"{url} was to be asked with ProviderSettings that were made without an HTTP client")

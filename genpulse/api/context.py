"""What every call of one running API shares."""

import asyncio
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import Scope

from genpulse.api.access import Access, Caller
from genpulse.api.documents import Links
from genpulse.api.figures import Metrics
from genpulse.api.options import ApiOptions
from genpulse.ports import Services

CALLER = "genpulse.caller"


@dataclass(frozen=True, slots=True)
class Context:
    """One of each. `stopping` is set when the server was told to end."""

    services: Services
    options: ApiOptions
    access: Access
    metrics: Metrics
    stopping: asyncio.Event


def context_in(scope: Scope) -> Context:
    """What the application of this request holds."""
    context = scope["app"].state.context
    assert isinstance(context, Context)  # noqa: S101 - set by the lifespan, without which nothing is served
    return context


def caller_of(connection: HTTPConnection) -> Caller:
    """Who makes this call."""
    caller = connection.scope[CALLER]
    assert isinstance(caller, Caller)  # noqa: S101 - every call under /v1 was admitted
    return caller


def links_for(connection: HTTPConnection) -> Links:
    """Addresses as this caller can reach them."""
    public_url = context_in(connection.scope).options.public_url
    if public_url is not None:
        return Links(public_url.rstrip("/"))
    scope = connection.scope
    host = connection.headers.get("host")
    if not host:
        return Links(scope.get("root_path", ""))
    return Links(f"{scope['scheme']}://{host}{scope.get('root_path', '')}")

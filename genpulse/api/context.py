"""State shared by all calls of one running API."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.types import Scope as AsgiScope

from genpulse.api.auth.authentication import Authenticator
from genpulse.api.auth.signed_urls import LazyUrlSigner
from genpulse.api.metrics.metrics import Metrics
from genpulse.api.options import ApiOptions
from genpulse.api.requests.uploads_in_progress import UploadsInProgress
from genpulse.api.schemas.links import Id, Links
from genpulse.background.cancel_handles import CancelHandles
from genpulse.domain.assets.asset import Asset
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.errors import UnknownAsset, UnknownBatch, UnknownTask
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.client_token import ClientToken
from genpulse.domain.task import Task
from genpulse.domain.task_batch import TaskBatch
from genpulse.lifecycle.submission.client_assets import sees_asset
from genpulse.lifecycle.thumbnails import ThumbnailShelf
from genpulse.ports import Services

CALLER = "genpulse.caller"
SIGNED = "genpulse.signed"
"""Key in the scope of a call that came by a signed address in place of an API key."""
RATE_LIMIT = "genpulse.rate_limit"
"""Key in the scope of a call by a key that has a rate: the headers that tell what is left of it."""
GRANT = "genpulse.grant"
"""Key in the scope of a call that brings a file: its `UploadGrant`."""
_CONTEXT = "genpulse.context"


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that all calls share. `stopping` is set when the server was told to end."""

    services: Services
    options: ApiOptions
    authenticator: Authenticator
    metrics: Metrics
    stopping: asyncio.Event
    thumbnails: ThumbnailShelf
    cancel_handles: CancelHandles = field(default_factory=CancelHandles)
    signing: LazyUrlSigner = field(default_factory=LazyUrlSigner)
    uploads: UploadsInProgress = field(default_factory=UploadsInProgress)

    def signed(self, asset_id: UUID) -> str:
        """The signed query of the address of an asset's bytes, from now on; empty before the secret is read."""
        signer = self.signing.signer
        return signer.query(asset_id, self.services.now().timestamp()) if signer else ""

    def signed_events(self, task_id: Id) -> str:
        """The same for the address of a task's events."""
        signer = self.signing.signer
        return signer.events_query(task_id, self.services.now().timestamp()) if signer else ""

    def signed_events_by(self, token: ClientToken, task_id: Id) -> str:
        """The same for whoever has a client token: it is good no longer than that."""
        signer = self.signing.signer
        return signer.token_events_query(task_id, token.id, token.expires_at.timestamp()) if signer else ""


def context_in(scope: AsgiScope) -> Context:
    """The context of the application that serves this request."""
    context = scope.get(_CONTEXT)
    if context is None:
        context = scope[_CONTEXT] = scope["app"].state.context
    assert isinstance(context, Context)  # noqa: S101 - set by the lifespan, without which nothing is served
    return context


def caller_of(connection: HTTPConnection) -> Caller:
    """The caller of this request."""
    caller = connection.scope[CALLER]
    assert isinstance(caller, Caller)  # noqa: S101 - every call under /v1 was authorized
    return caller


def grant_of(connection: HTTPConnection) -> UploadGrant | None:
    """What the signed address allows by which this request brings a file, if it is one."""
    grant: UploadGrant | None = connection.scope.get(GRANT)
    return grant


async def task_for(connection: HTTPConnection, task_id: UUID) -> Task:
    """The task, if it is there for this caller: what is somebody else's is as unknown as what is not there.

    Raises `UnknownTask`, `DatabaseUnavailable`."""
    task = await context_in(connection.scope).services.store.get(task_id)
    if not caller_of(connection).sees_task(task):
        raise UnknownTask(task_id)
    return task


async def batch_for(connection: HTTPConnection, batch_id: UUID) -> TaskBatch:
    """The batch, if it is there for this caller. Raises `UnknownBatch`, `DatabaseUnavailable`."""
    batch = await context_in(connection.scope).services.batches.get(batch_id)
    if not caller_of(connection).sees(batch.owner):
        raise UnknownBatch(batch_id)
    return batch


async def asset_for(connection: HTTPConnection, asset_id: UUID) -> Asset:
    """The asset, if it is there for this caller. Raises `UnknownAsset`, `DatabaseUnavailable`."""
    services = context_in(connection.scope).services
    asset = await services.store.asset(asset_id)
    if not await sees_asset(services, caller_of(connection), asset):
        raise UnknownAsset(asset_id)
    return asset


def links_for(connection: HTTPConnection) -> Links:
    """Addresses as this caller can reach them.

    Those of events are signed for callers that may read. Who came by a signed one itself gets none, or it would
    never run out.
    """
    context, caller = context_in(connection.scope), caller_of(connection)
    base = _base(connection, context.options.public_url)
    has_thumbnails = context.services.thumbnails is not None
    if context.signing.signer is None:
        return Links(base, has_thumbnails=has_thumbnails)
    may_read = caller.key is None or caller.key.allows(Scope.READ)
    signs_events = may_read and SIGNED not in connection.scope
    of_events = partial(context.signed_events_by, caller.token) if caller.token else context.signed_events
    return Links(base, context.signed, of_events if signs_events else None, has_thumbnails)


def _base(connection: HTTPConnection, public_url: str | None) -> str:
    if public_url is not None:
        return public_url.rstrip("/")
    scope = connection.scope
    host = connection.headers.get("host")
    prefix = f"{scope['scheme']}://{host}" if host else ""
    return f"{prefix}{scope.get('root_path', '')}"

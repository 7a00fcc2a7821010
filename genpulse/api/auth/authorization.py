"""Authentication, rate limit and authorisation of every call under `/v1`."""

import re
from contextlib import suppress
from uuid import UUID

from starlette.requests import HTTPConnection

from genpulse.api.context import Context, context_in
from genpulse.api.errors import InsufficientScope, TooManyRequests
from genpulse.api.requests.paths import inner_path
from genpulse.domain.api_key import Scope
from genpulse.domain.caller import WITHOUT_KEY, Caller
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.provider_account.rate import Rate

_CONTENT = re.compile(r"/v1/assets/([0-9a-fA-F-]{32,36})/content")
_READING = frozenset({"GET", "HEAD"})


async def authorize(connection: HTTPConnection) -> Caller:
    """The caller of a call that is allowed. A signed address fetches the bytes of an asset without a key.

    Raises `AuthenticationRequired`, `ForeignEnvironment`, `InsufficientScope`, `TooManyRequests`,
    `InvalidSignature`, `UrlExpired`, `DatabaseUnavailable`.
    """
    context = context_in(connection.scope)
    if asset_id := _signed_asset(connection):
        await _check_signature(context, connection, asset_id)
        return WITHOUT_KEY
    if context.signing.signer is None:
        with suppress(DatabaseUnavailable):
            await context.signing.fill(context.services, context.options.asset_url_s)
    caller = await context.authenticator.authenticate(connection)
    _require(caller, Scope.READ if connection.scope["method"] in _READING else Scope.WRITE)
    if caller.limits.rate is not None:
        await _keep_to_rate(context, caller.owner, caller.limits.rate)
    return caller


async def _check_signature(context: Context, connection: HTTPConnection, asset_id: UUID) -> None:
    """Raises `InvalidSignature`, `UrlExpired`, `DatabaseUnavailable`."""
    signer = await context.signing.fill(context.services, context.options.asset_url_s)
    query, now_s = connection.query_params, context.services.now().timestamp()
    signer.check(asset_id, query.get("expires", ""), query["signature"], now_s)


def _require(caller: Caller, scope: Scope) -> None:
    """Raises `InsufficientScope`."""
    if caller.key is not None and not caller.key.allows(scope):
        raise InsufficientScope(scope, sorted(caller.key.scopes))


def _signed_asset(connection: HTTPConnection) -> UUID | None:
    """The asset whose bytes are fetched by a signed address; no other call can be made by one."""
    if b"signature=" not in connection.scope["query_string"] or "signature" not in connection.query_params:
        return None
    if connection.scope["method"] not in _READING:
        return None
    match = _CONTENT.fullmatch(inner_path(connection.scope))
    try:
        return UUID(match.group(1)) if match else None
    except ValueError:
        return None


async def _keep_to_rate(context: Context, owner: str, rate: Rate) -> None:
    wait_s = await context.services.gate.pace(f"key:{owner}", rate.in_bursts())
    if wait_s > 0:
        raise TooManyRequests(rate, wait_s)

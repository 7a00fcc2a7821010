"""Authentication, rate limit and authorisation of every call under `/v1`."""

import re
from contextlib import suppress
from uuid import UUID

from starlette.requests import HTTPConnection

from genpulse.api.auth.callers import Caller
from genpulse.api.context import Context, context_in
from genpulse.api.errors import TooManyRequests
from genpulse.api.requests.paths import inner_path
from genpulse.domain.api_key import Scope
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.provider_account.rate import Rate

_CONTENT = re.compile(r"/v1/assets/([0-9a-fA-F-]{32,36})/content")
_READING = frozenset({"GET", "HEAD"})


async def admitted(connection: HTTPConnection) -> Caller:
    """Who calls.

    Raises `AuthenticationRequired`, `ForeignEnvironment`, `InsufficientScope`, `TooManyRequests`,
    `InvalidSignature`, `UrlExpired`, `DatabaseUnavailable`.
    """
    context = context_in(connection.scope)
    if signed := _signed_asset(connection):
        signer = await context.signing.fill(context.services, context.options.asset_url_s)
        query, now_s = connection.query_params, context.services.now().timestamp()
        signer.check(signed, query.get("expires", ""), query["signature"], now_s)
        return Caller()
    if context.signing.signer is None:
        with suppress(DatabaseUnavailable):
            await context.signing.fill(context.services, context.options.asset_url_s)
    caller = await context.access.admit(connection)
    caller.require(Scope.READ if connection.scope["method"] in _READING else Scope.WRITE)
    if caller.key is not None and caller.key.limits.rate is not None:
        await _keep_pace(context, caller.owner, caller.key.limits.rate)
    return caller


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


async def _keep_pace(context: Context, owner: str, rate: Rate) -> None:
    wait_s = await context.services.gate.pace(f"key:{owner}", rate.in_bursts())
    if wait_s > 0:
        raise TooManyRequests(rate, wait_s)

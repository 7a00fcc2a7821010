"""Who brings a file by a signed address, and how large it may be."""

import re
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.types import Scope as AsgiScope

from genpulse.api.auth.upload_signer import UploadSigner
from genpulse.api.context import GRANT, SIGNED, context_in
from genpulse.api.requests.paths import inner_path
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.keys.caller import Caller

_PATH = re.compile("/v1/uploads/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def brought(connection: HTTPConnection) -> UUID | None:
    """The asset that the file of this call becomes, where it comes by a signed address."""
    if connection.scope["method"] != "PUT" or "signature" not in connection.query_params:
        return None
    match = _PATH.fullmatch(inner_path(connection.scope))
    return UUID(match[1]) if match else None


async def admit(connection: HTTPConnection, asset_id: UUID, secret: bytes) -> Caller:
    """The caller that has allowed this upload, which is noted in the scope.

    Raises `InvalidSignature`, `UrlExpired`, `AuthenticationRequired`, `DatabaseUnavailable`.
    """
    scope, context = connection.scope, context_in(connection.scope)
    signer, now_s = UploadSigner(secret), context.services.now().timestamp()
    grant = signer.read(asset_id, connection.query_params["signature"], now_s)
    caller = await context.authenticator.granted_by(grant.owner)
    scope[GRANT], scope[SIGNED] = grant, True
    return caller


def granted_bytes(limit_bytes: int, scope: AsgiScope) -> int | None:
    """How large the body of a request may be by its signed address, `limit_bytes` at most; None without one."""
    grant: UploadGrant | None = scope.get(GRANT)
    return None if grant is None else min(grant.max_bytes, limit_bytes)

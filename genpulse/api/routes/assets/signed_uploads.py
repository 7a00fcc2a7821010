"""Files that somebody brings without an API key, such as a page in a browser."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.upload_signer import AGAIN, UploadSigner
from genpulse.api.context import Context, caller_of, context_in, grant_of, links_for
from genpulse.api.errors import InvalidSignature
from genpulse.api.requests import json_body, raw_body
from genpulse.api.responses import encoded
from genpulse.api.routes.assets.uploads import UPLOADS_PATH
from genpulse.api.schemas.tasks.documents import KeptAssetDocument
from genpulse.api.schemas.uploads import NewUploadDocument, UploadDocument
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.keys.caller import Caller
from genpulse.lifecycle.client_tokens import promise_upload
from genpulse.lifecycle.upload import upload_granted

UPLOAD_URLS_PATH = "/v1/upload_urls"

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_LOCATION = [("Location", "Address of the asset")]

routes = encoded.router("assets")


@routes.post(
    UPLOAD_URLS_PATH,
    status_code=201,
    summary="Let somebody else upload a file",
    responses=encoded.described(201, "Where the file is to be brought", UploadDocument)
    | encoded.refusals(400, 413, 415, 422),
    openapi_extra={"requestBody": encoded.taken(NewUploadDocument, required=False)},
)
async def create_upload(request: Request) -> Response:
    """Make an address by which one file is brought without an API key, such as from a page in a browser.

    It is good for one file, which becomes an asset of this API key, and for as long as the key itself is.
    """
    context, document = context_in(request.scope), await json_body.read_if_any(request, NewUploadDocument)
    services, limit_bytes = context.services, context.options.upload_limit_bytes
    if document.max_bytes is not None and document.max_bytes > limit_bytes:
        said = f"It is more than an upload may have here, which is {limit_bytes}"
        raise BadInput("The file would be too large.", [Problem("/max_bytes", said)])
    grant = _grant(context, caller_of(request), document)
    if (token := caller_of(request).token) is not None:
        await promise_upload(services, token, grant)
    signer = UploadSigner(await services.keys.signing_secret())
    url = links_for(request).upload(grant.asset_id, signer.write(grant))
    return encoded.json(UploadDocument.of(grant, url), 201, {"Cache-Control": "no-store"})


def _grant(context: Context, caller: Caller, document: NewUploadDocument) -> UploadGrant:
    """What is left out by whoever has a client token is what that says; none lasts longer than the token."""
    token, services, limit_bytes = caller.token, context.services, context.options.upload_limit_bytes
    terms = token.orders.uploads if token and token.orders else None
    expires_s = int(services.now().timestamp()) + document.expires_in_s
    says_type = "media_type" in document.model_fields_set
    return UploadGrant(
        services.new_id(),
        caller.owner,
        document.max_bytes or (min(terms.max_bytes, limit_bytes) if terms else limit_bytes),
        min(expires_s, int(token.expires_at.timestamp())) if token else expires_s,
        terms.media_type if terms and not says_type else document.media_type,
    )


@routes.put(
    f"{UPLOADS_PATH}/{{upload_id}}",
    status_code=201,
    summary="Upload a file by a signed address",
    responses=encoded.described(201, "The file is stored", KeptAssetDocument, _LOCATION)
    | encoded.described(200, "The same file was brought by this address before", KeptAssetDocument, _LOCATION)
    | encoded.refusals(400, 409, 413, 415),
    openapi_extra={
        "parameters": [encoded.path_parameter("upload_id", "The `asset_id` of an `Upload`")],
        "requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}},
    },
)
async def upload_directly(request: Request) -> Response:
    """Store the body as an asset. What it is is found from its bytes; its Content-Type may be any but a form's.

    `POST /v1/upload_urls` gives the address. One address makes one asset: the same bytes once more give that
    asset, and others are refused.
    """
    context, grant = context_in(request.scope), grant_of(request)
    if grant is None:
        raise InvalidSignature(AGAIN)
    with context.uploads.alone(grant.asset_id):
        uploaded = await upload_granted(
            context.services,
            grant,
            raw_body.file_in(request),
            limit_bytes=context.options.upload_limit_bytes,
            still_granted=partial(context.authenticator.granted_by, grant.owner),
        )
    links = links_for(request)
    document = KeptAssetDocument.of(uploaded.asset, links)
    headers = {"Location": links.asset(uploaded.asset.id), "Cache-Control": "no-store"}
    return encoded.json(document, 200 if uploaded.replayed else 201, headers)

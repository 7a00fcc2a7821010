"""Files that callers bring."""

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in, links_for
from genpulse.api.requests import multipart
from genpulse.api.responses import encoded
from genpulse.api.schemas.tasks.documents import KeptAssetDocument
from genpulse.lifecycle.upload import upload as keep_upload

UPLOADS_PATH = "/v1/uploads"

_FORM = {
    "type": "object",
    "required": [multipart.FIELD],
    "additionalProperties": False,
    "properties": {multipart.FIELD: {"type": "string", "format": "binary"}},
}

routes = encoded.router("assets")


@routes.post(
    UPLOADS_PATH,
    status_code=201,
    summary="Upload a file",
    responses=encoded.described(
        201, "The file is stored", KeptAssetDocument, [("Location", "Address of the asset")]
    )
    | encoded.refusals(400, 413, 415, 422),
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def upload_file(request: Request) -> Response:
    """Store a file as an asset. It is stored as it arrives; what it is is found from its bytes."""
    context, links = context_in(request.scope), links_for(request)
    asset = await keep_upload(
        context.services,
        multipart.file_in(request),
        limit_bytes=context.options.upload_limit_bytes,
        owner=caller_of(request).owner,
    )
    document = KeptAssetDocument.of(asset, links)
    return encoded.json(document, 201, {"Location": links.asset(asset.id)})

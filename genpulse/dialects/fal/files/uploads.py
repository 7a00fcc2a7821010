"""Files of clients: a signed address for each, to which they bring it."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.upload_signer import UploadSigner
from genpulse.api.context import caller_of, context_in, links_for
from genpulse.api.requests import json_body, raw_body
from genpulse.dialects.fal.queue import PREFIX, answer_json
from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.lifecycle.upload import upload

GRANTED_S = 3600
"""Seconds in which a file has to begin to come."""
TOKEN_S = 3600


async def initiate(request: Request) -> Response:
    """Where one file is to be brought, and where it will be. Raises `DatabaseUnavailable`."""
    await _asked(request)
    grant, signature = await _granted(request)
    links = links_for(request)
    return _addresses(links.upload(grant.asset_id, signature), links.content(grant.asset_id))


async def initiate_parts(request: Request) -> Response:
    """The same for a file that comes in parts. Raises `DatabaseUnavailable`."""
    await _asked(request)
    grant, signature = await _granted(request)
    links = links_for(request)
    address = f"{links.base}{PREFIX}/parts/{grant.asset_id}?signature={signature}"
    return _addresses(address, links.content(grant.asset_id))


async def upload_whole(request: Request) -> Response:
    """A file as the body of one call. Raises as `lifecycle.upload.upload`."""
    context, caller = context_in(request.scope), caller_of(request)
    asset = await upload(
        context.services,
        raw_body.file_in(request),
        limit_bytes=context.options.upload_limit_bytes,
        owner=caller.owner,
    )
    url = links_for(request).content(asset.id)
    return answer_json({"access_url": url, "url": url})


async def token(request: Request) -> Response:
    """With what files are brought to `/fal/cdn`: the key of the call itself, which needs no other."""
    scheme, _, key = (request.headers.get("authorization") or "Key none").partition(" ")
    now = context_in(request.scope).services.now()
    document = {
        "token": key.strip(),
        "token_type": scheme,
        "base_url": f"{links_for(request).base}{PREFIX}/cdn",
        "expires_at": (now + timedelta(seconds=TOKEN_S)).isoformat(),
    }
    return answer_json(document, headers={"cache-control": "no-store"})


async def _asked(request: Request) -> JsonObject:
    """What is said of the file, which counts for nothing: its bytes say what it is."""
    body = await request.body()
    document: JsonValue = json_body.parsed(body) if body else {}
    return document if isinstance(document, dict) else {}


async def _granted(request: Request) -> tuple[UploadGrant, str]:
    context = context_in(request.scope)
    services = context.services
    expires_s = int(services.now().timestamp()) + GRANTED_S
    owner = caller_of(request).owner
    grant = UploadGrant(services.new_id(), owner, context.options.upload_limit_bytes, expires_s)
    return grant, UploadSigner(await services.keys.signing_secret()).write(grant)


def _addresses(upload_url: str, file_url: str) -> Response:
    return answer_json({"upload_url": upload_url, "file_url": file_url}, headers={"cache-control": "no-store"})

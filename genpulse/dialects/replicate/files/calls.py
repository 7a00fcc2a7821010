"""Files that callers bring, and name in inputs."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, SkipValidation
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import asset_for, caller_of, context_in, links_for
from genpulse.api.requests.page_cursor import decode_bound, encode_bound
from genpulse.api.responses import encoded
from genpulse.api.responses.content_disposition import EXTENSIONS
from genpulse.api.routes.assets.assets import fetch_content
from genpulse.api.schemas.document import Document, Time
from genpulse.dialects.replicate.files.form import FileForm
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.domain.assets.asset import Asset
from genpulse.domain.assets.uploaded_file import UploadedFile, UploadedFileQuery
from genpulse.domain.errors import UnknownAsset
from genpulse.lifecycle.removal.deletion import delete_asset
from genpulse.lifecycle.upload import upload

PAGE = 100
_WORDS = ("replicate files",)


class FileUrls(Document):
    """Where it is: `get` is what an input names it by, `download` where its bytes are."""

    get: str
    download: str


class FileDocument(Document):
    """A file that was brought."""

    model_config = ConfigDict(title="File")

    id: str
    name: str
    content_type: str
    size: int
    etag: str
    checksums: dict[str, str]
    metadata: SkipValidation[Mapping[str, object]]
    created_at: Time
    expires_at: Time | None
    urls: FileUrls

    @classmethod
    def of(cls, file: UploadedFile, links: ReplicateLinks, expires_at: datetime | None) -> "FileDocument":
        """From the domain's value. What nobody noted, such as the MD5 of an output, is left out."""
        asset, content = file.asset, file.asset.content
        md5 = {"md5": file.md5} if file.md5 else {}
        return cls(
            id=str(asset.id),
            name=file.name,
            content_type=file.media_type,
            size=content.size,
            etag=content.sha256,
            checksums={"sha256": content.sha256, **md5},
            metadata=file.metadata,
            created_at=asset.created_at,
            expires_at=expires_at,
            urls=FileUrls(get=links.file(asset.id), download=links.ours.content(asset.id)),
        )


class FilePage(Document):
    """A page of files, newest first."""

    previous: None = None
    next: str | None
    results: list[FileDocument]


async def create_file(request: Request) -> Response:
    """Store a file as it arrives."""
    context, form = context_in(request.scope), FileForm(request)
    services, limit_bytes = context.services, context.options.upload_limit_bytes
    asset = await upload(services, form.chunks(), limit_bytes=limit_bytes, owner=caller_of(request).owner)
    file = UploadedFile(asset, form.name, form.media_type, form.md5, form.metadata)
    await services.uploaded_files.add(file)
    return encoded.json(_document(request, file), 201, {"Location": _links(request).file(asset.id)})


async def show_file(request: Request) -> Response:
    """What is known of a file. Any asset of the caller is one, also what a prediction made."""
    asset = await asset_for(request, _file_id(request))
    file = await context_in(request.scope).services.uploaded_files.get(asset.id)
    return encoded.json(_document(request, file or _of_asset(asset)))


async def list_files(request: Request) -> Response:
    """The files that were brought here, newest first."""
    services, caller = context_in(request.scope).services, caller_of(request)
    cursor = request.query_params.get("cursor")
    before = decode_bound(cursor, _WORDS) if cursor else None
    owner = None if caller.sees_all else caller.owner
    files = await services.uploaded_files.find(UploadedFileQuery(owner, PAGE + 1, before))
    page, following = files[:PAGE], None
    if len(files) > PAGE:
        following = f"{_links(request).api}/files?cursor={encode_bound(page[-1].asset.id, _WORDS)}"
    results = [_document(request, file) for file in page]
    return encoded.json(FilePage(next=following, results=results))


async def download_file(request: Request) -> Response:
    """The bytes of a file."""
    asset = await asset_for(request, _file_id(request))
    request.scope["path_params"] = {"asset_id": str(asset.id)}
    return await fetch_content(request, asset.id)


async def delete_file(request: Request) -> Response:
    """Let a file be gone."""
    caller = caller_of(request)
    owner = None if caller.sees_all else caller.owner
    await delete_asset(context_in(request.scope).services, _file_id(request), owner)
    return Response(status_code=204)


def _document(request: Request, file: UploadedFile) -> FileDocument:
    kept_for = context_in(request.scope).services.retention_policy.assets
    expires_at = None if kept_for is None else file.asset.created_at + kept_for
    return FileDocument.of(file, _links(request), expires_at)


def _of_asset(asset: Asset) -> UploadedFile:
    media_type = asset.content.media_type
    return UploadedFile(asset, f"{asset.id}.{EXTENSIONS.get(media_type, 'bin')}", media_type, "", {})


def _links(request: Request) -> ReplicateLinks:
    return ReplicateLinks(links_for(request))


def _file_id(request: Request) -> UUID:
    """Raises `UnknownAsset`."""
    word = str(request.path_params["file_id"])
    try:
        return UUID(word)
    except ValueError:
        raise UnknownAsset(repr(word[:100])) from None

"""What a caller said of a file when it brought it."""

from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.assets.asset import Asset
from genpulse.domain.json.value import JsonObject


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An upload, with the name and the media type that its caller gave it, the MD5 of its bytes, and its metadata.

    The asset's own media type is found from its bytes, and may be another one.
    """

    asset: Asset
    name: str
    media_type: str
    md5: str
    metadata: JsonObject


@dataclass(frozen=True, slots=True)
class UploadedFileQuery:
    """A page of uploads, newest first: of this owner (None: of anybody), older than `before`, at most `limit`."""

    owner: str | None = None
    limit: int = 100
    before: UUID | None = None

"""Leave to bring one file without an API key."""

import re
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.errors import UploadNotTaken

ANY = "*/*"
MEDIA_RANGE = re.compile(r"\*/\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/(\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,62})")
"""`*/*`, `image/*` or `image/png`, in small letters."""


def is_within(media_range: str, allowed: str) -> bool:
    """Whether all that fits one media range fits another one."""
    kind, _, subtype = media_range.partition("/")
    allowed_kind, _, allowed_subtype = allowed.partition("/")
    return allowed_kind in {"*", kind} and allowed_subtype in {"*", subtype}


@dataclass(frozen=True, slots=True)
class UploadGrant:
    """The file becomes the asset `asset_id`, so that there is one of it at most, whoever else has the same grant.

    `owner` is the id of the API key whose asset it will be, empty for nobody's. `max_bytes` is how large the file
    may be, `media_type` of what type, as `MEDIA_RANGE` has it, and `expires_s` until when it may begin to come, in
    seconds since 1970.
    """

    asset_id: UUID
    owner: str
    max_bytes: int
    expires_s: int
    media_type: str = ANY

    def check_type(self, media_type: str) -> None:
        """Raises `UploadNotTaken` where a file of this type is not what it is for."""
        kind, _, subtype = self.media_type.partition("/")
        found_kind, _, found_subtype = media_type.partition(";")[0].strip().lower().partition("/")
        if kind not in {"*", found_kind} or subtype not in {"*", found_subtype}:
            raise UploadNotTaken(media_type, self.media_type)

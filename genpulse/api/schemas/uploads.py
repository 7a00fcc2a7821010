"""Addresses by which files are brought, as callers ask for them and see them."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from genpulse.api.schemas.document import Document, Time
from genpulse.api.schemas.numbers import whole_number
from genpulse.domain.assets.upload_grant import ANY, MEDIA_RANGE, UploadGrant

LONGEST_S = 3600
_USUAL_S = 900
_MOST_BYTES = 2**53 - 1
_Number = BeforeValidator(whole_number)
MediaRange = Annotated[str, StringConstraints(max_length=127, pattern=f"^(?:{MEDIA_RANGE.pattern})$")]


class NewUploadDocument(BaseModel):
    """A file that somebody else is to bring. Fields that are not listed are refused."""

    model_config = ConfigDict(title="NewUpload", extra="forbid", frozen=True, hide_input_in_errors=True)

    max_bytes: Annotated[int, Field(ge=1, le=_MOST_BYTES), _Number] | None = Field(
        None,
        description="How large it may be; null: as large as `api.upload_limit_bytes` says",
        examples=[10_000_000],
    )
    media_type: MediaRange = Field(
        ANY,
        description="What it may be, by its bytes: one type as in `image/png`, or all of a kind as in `image/*`",
        examples=["image/*"],
    )
    expires_in_s: Annotated[int, Field(ge=1, le=LONGEST_S), _Number] = Field(
        _USUAL_S, description="For so many seconds it may begin to come"
    )


class UploadDocument(Document):
    """Where a file is to be brought, once."""

    model_config = ConfigDict(title="Upload")

    asset_id: UUID
    """The asset that it becomes. Nothing has this id until then."""
    url: str
    """Send the bytes of the file there as the body. It needs no API key; whoever has it can bring the file."""
    method: Literal["PUT"]
    media_type: str = Field(examples=["image/*"])
    max_bytes: int
    expires_at: Time

    @classmethod
    def of(cls, grant: UploadGrant, url: str) -> "UploadDocument":
        """From the domain's value."""
        return cls(
            asset_id=grant.asset_id,
            url=url,
            method="PUT",
            media_type=grant.media_type,
            max_bytes=grant.max_bytes,
            expires_at=datetime.fromtimestamp(grant.expires_s, UTC),
        )

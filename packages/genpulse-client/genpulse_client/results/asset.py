"""Files that tasks made or callers brought."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.results.notebook import media_html


@dataclass(frozen=True, slots=True)
class Asset:
    """A file. `size` in bytes, `width` and `height` in pixels, `duration_s` in seconds; None where unknown.

    `url` needs no API key, and runs out: the task gives a fresh one. So does `thumbnail_url`: a WebP of 320 pixels
    in width at most, of a picture or a video; None where there is none. `document` is all that the API says.
    """

    id: str
    url: str
    media_type: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    duration_s: float | None
    document: Mapping[str, Any] = field(repr=False, compare=False)
    thumbnail_url: str | None = None

    @property
    def reference(self) -> str:
        """What names the file in the input of a task: `asset:<id>`."""
        return f"asset:{self.id}"

    def _repr_html_(self) -> str:
        """How notebooks show it: the picture, sound or video itself."""
        return media_html(self.url, self.media_type)


def asset_of(document: Any) -> Asset:
    """An asset from its JSON. Raises `UnexpectedAnswer`."""
    try:
        return Asset(
            id=document["id"],
            url=document["url"],
            media_type=document["media_type"],
            size=document["bytes"],
            sha256=document["sha256"],
            width=document.get("width"),
            height=document.get("height"),
            duration_s=document.get("duration_s"),
            document=document,
            thumbnail_url=document.get("thumbnail_url"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnexpectedAnswer(
            f"The answer is no asset: {error!r}. Is the server older than this client?"
        ) from error

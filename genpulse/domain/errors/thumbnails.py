"""Why there is no thumbnail."""

from genpulse.domain.errors.refused import Refused
from genpulse.domain.errors.unavailable import Unavailable


class NoThumbnail(Refused):
    """The asset can have no thumbnail: it is no picture or video, or too large or broken. `why` is a sentence."""

    code = "no_thumbnail"

    def __init__(self, why: str) -> None:
        super().__init__(f"There is no thumbnail of this asset. {why} Leave `w` out for the asset itself.")
        self.why = why


class ThumbnailsNotInstalled(Refused):
    """Thumbnails need libraries that are not installed on the server."""

    code = "thumbnails_not_installed"

    def __init__(self) -> None:
        super().__init__(
            "Thumbnails need libraries that are not installed here: pip install 'genpulse[media]', and start the"
            " API again. Leave `w` out for the asset itself."
        )


class ThumbnailsBusy(Unavailable):
    """More thumbnails wait to be made than the server lets wait, or it can start no process for one."""

    code = "thumbnails_busy"

    def __init__(self, why: str) -> None:
        super().__init__(f"The thumbnail cannot be made now: {why}. Ask again a little later.")

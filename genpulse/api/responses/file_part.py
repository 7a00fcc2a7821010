"""Responses whose body is a part of a file of this machine."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genpulse.api.responses.streams import until_gone
from genpulse.api.server.file_sender import FileSender
from genpulse.background.first import first_of
from genpulse.domain.errors import StorageLost, StorageUnavailable
from genpulse.ports import CheckedFile

_LAST = 1 << 16
"""Bytes that leave when it is known that nobody has written to the file meanwhile."""


class FilePart(Response):
    """Sends the bytes from `start` up to but not including `end`, and closes the file.

    Raises `StorageLost` where the file was changed meanwhile, `StorageUnavailable` where it cannot be read.
    """

    def __init__(
        self,
        checked: CheckedFile,
        part: tuple[int, int],
        sender: FileSender,
        status: int,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(None, status, headers, media_type)
        self._checked = checked
        self._part = part
        self._sender = sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the head, the part, and the end."""
        with self._checked.file:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await first_of(self._send(), until_gone(receive))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self) -> None:
        file, (start, end) = self._checked.file, self._part
        last_at = max(start, end - _LAST)
        try:
            await self._sender.send(file, start, last_at)
            if not await self._checked.is_unchanged():
                raise StorageLost(f"The file {file.name} was changed while it was sent.")
            await self._sender.send(file, last_at, end)
        except EOFError as error:
            raise StorageLost(f"The file {file.name} was cut off while it was sent.") from error
        except OSError as error:
            raise StorageUnavailable(f"The file {file.name} cannot be sent: {error.strerror}.") from error

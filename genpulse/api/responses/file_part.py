"""Responses whose body is a part of a file of this machine."""

from collections.abc import Mapping
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genpulse.api.server.file_sender import FileSender
from genpulse.domain.errors import StorageLost, StorageUnavailable


class FilePart(Response):
    """Sends the bytes from `start` up to but not including `end`, and closes the file.

    Raises `StorageLost` where the file has become shorter, `StorageUnavailable` where it cannot be read.
    """

    def __init__(
        self,
        file: BinaryIO,
        part: tuple[int, int],
        sender: FileSender,
        status: int,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(None, status, headers, media_type)
        self._file = file
        self._part = part
        self._sender = sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the head, the part, and the end."""
        with self._file:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            try:
                await self._sender.send(self._file, *self._part)
            except EOFError as error:
                raise StorageLost("The bytes of this asset are cut off while they are sent.") from error
            except OSError as error:
                raise StorageUnavailable(f"The file of this asset cannot be read: {error.strerror}.") from error
        await send({"type": "http.response.body", "body": b"", "more_body": False})

"""A WebSocket to a vendor."""

from collections.abc import AsyncIterator

import aiohttp

from genpulse.provider.http import AnswerLost


class VendorSocket:
    """Implements `Socket`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Its messages, until the other side closes it."""
        async for message in self._socket:
            if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                yield message.data
        if (error := self._socket.exception()) is not None:
            raise AnswerLost(f"the WebSocket broke: {error}") from error

    async def send(self, text: str) -> None:
        """Raises `AnswerLost`."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerLost(f"the WebSocket broke: {error}") from error

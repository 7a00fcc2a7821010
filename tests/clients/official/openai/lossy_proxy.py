"""A proxy that loses answers: requests go through."""

import asyncio
import threading
from types import TracebackType

_CHUNK = 1 << 16


class LossyProxy:
    """Before the port of this machine, in a thread of its own. Of the first `losing` answers nothing arrives."""

    def __init__(self, port: int, losing: int = 1) -> None:
        self._port = port
        self._losing = losing
        self._passing: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> "LossyProxy":
        self._thread.start()
        starting = asyncio.start_server(self._begin, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _end(self) -> None:
        """Close the door, and what is open behind it."""
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passing.append(self._loop.create_task(self._pass_on(reader, writer)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._port)
        up = asyncio.create_task(self._pump(reader, ours))
        while chunk := await theirs.read(_CHUNK):
            if self._losing:
                self._losing -= 1
                break
            writer.write(chunk)
            await writer.drain()
        up.cancel()
        for one in (writer, ours):
            one.close()
        await asyncio.gather(up, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()

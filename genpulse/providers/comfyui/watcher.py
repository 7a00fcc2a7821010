"""Listens to a server's WebSocket. Messages may be lost: the history is authoritative."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from genpulse.background.shared_task import shared_task
from genpulse.provider import ProviderError
from genpulse.provider.http import AnswerLost, Http

REMEMBERED = 1_000
FRAMES_BYTES = 256 << 20
"""How many bytes of pictures may wait that are sent over the socket alone."""
_AGAIN_S = 2.0
_PICTURE = b"\x00\x00\x00\x01"
_MANY = 1e15
"""No node has so many steps."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class PromptMessages:
    """The messages about one prompt. `sends` are the nodes whose pictures come over the socket alone."""

    nodes: int
    sends: frozenset[str] = frozenset()
    fraction: float | None = None
    frames: list[bytes] = field(default_factory=list)


class Watcher:
    """Listens while there are prompts to hear of, and connects again whenever the socket breaks."""

    def __init__(self, http: Http, url: str, headers: Mapping[str, str], client_id: str) -> None:
        scheme, _, rest = url.partition("://")
        self._address = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws?clientId={client_id}"
        self._http = http
        self._headers = headers
        self._heard: OrderedDict[str, PromptMessages] = OrderedDict()
        self._now: tuple[str, str] = ("", "")
        self._listening: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    async def expect(self, prompt_id: str, nodes: int, sends: Collection[str]) -> None:
        """Listen for this prompt; waits a moment for the socket, so that nothing of it is missed."""
        self._heard[prompt_id] = PromptMessages(nodes, frozenset(sends))
        while len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        if self._listening is None or self._listening.done():
            self._listening = shared_task(self._listen(), "comfyui socket")
        with suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self._connected.wait()

    def fraction(self, prompt_id: str) -> float | None:
        """The fraction of a prompt that is done, 0.0 to 1.0, by the messages that came."""
        course = self._heard.get(prompt_id)
        return course.fraction if course else None

    def frames(self, prompt_id: str) -> tuple[bytes, ...]:
        """The pictures that came over the socket alone."""
        course = self._heard.get(prompt_id)
        return tuple(course.frames) if course else ()

    def forget(self, prompt_id: str) -> None:
        """Forget a prompt that has ended."""
        self._heard.pop(prompt_id, None)

    async def _listen(self) -> None:
        while self._heard:
            try:
                async with self._http.websocket(self._address, self._headers) as socket:
                    self._connected.set()
                    async for message in socket:
                        self._hear(message)
            except (ProviderError, AnswerLost, OSError) as error:
                _log.debug("the socket to ComfyUI broke, and is opened again: %s", error)
            self._connected.clear()
            await asyncio.sleep(_AGAIN_S)

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._keep(message)
            return
        try:
            event = json.loads(message)
        except (ValueError, RecursionError):
            return
        match event:
            case {"type": str(kind), "data": {"prompt_id": str(prompt_id)} as data}:
                self._note(kind, prompt_id, data)

    def _note(self, kind: str, prompt_id: str, data: Mapping[str, Any]) -> None:
        course = self._heard.get(prompt_id)
        if course is None:
            return
        if kind == "executing":
            self._now = prompt_id, str(data.get("node"))
        if kind == "progress_state" and isinstance(nodes := data.get("nodes"), dict):
            share = sum(_done(node) for node in nodes.values()) / max(course.nodes, 1)
            course.fraction = max(min(share, 1.0), course.fraction or 0.0)

    def _keep(self, message: bytes) -> None:
        """A frame is a picture of the node that runs now; of others it is a preview."""
        prompt_id, node = self._now
        course = self._heard.get(prompt_id)
        if course is None or node not in course.sends or message[:4] != _PICTURE:
            return
        waiting = sum(len(frame) for one in self._heard.values() for frame in one.frames)
        if waiting + len(message) <= FRAMES_BYTES:
            course.frames.append(message[8:])

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)


def _done(node: object) -> float:
    """The fraction of a node that is done, 0.0 to 1.0; 0.0 where it tells no numbers."""
    match node:
        case {"value": int() | float() as value, "max": int() | float() as most} if 0 < value < most < _MANY:
            return value / most
        case {"value": int() | float() as value, "max": int() | float() as most} if 0 < most <= value:
            return 1.0
        case _:
            return 0.0

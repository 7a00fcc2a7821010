"""Fragments of pages that change while somebody looks: rendered once for all who watch the same."""

import asyncio
import json
import math
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from genpulse.background.loops import Loops
from genpulse.background.shared_task import shared_task
from genpulse.domain.errors import Refused, Unavailable

Fragments: TypeAlias = Mapping[str, str]
"""HTML by the id of the element whose content it becomes."""
Render: TypeAlias = Callable[[], Awaitable[Fragments]]

TOLD_AT_ONCE = 2
"""So many watchers are told of a change in one go, and the next ones a moment later.

All at once they would hold up whoever else is served by the process: an answer is a write to a socket for each.
"""
TOLD_EVERY_S = 0.004
MOST_TURNS = 100
"""Where more than so many times that many watch, more are told in one go, so that the last wait for 0.4 s."""
SHORTEST_S = 0.25
"""Between two renders of one kind of page, whoever watches it."""
KEEP_ALIVE_S = 15.0
LONGEST_PAUSE_S = 2.0
"""Between two tries while something is away."""


@dataclass(frozen=True)
class FragmentUpdate:
    """What has changed: fragments, that the database `is_away`, or nothing for a while."""

    fragments: Fragments = field(default_factory=dict)
    is_away: bool = False

    @cached_property
    def frame(self) -> bytes:
        """As events: written once for all who are told the same."""
        frames = [f"event: away\ndata: {json.dumps(self.is_away)}\n\n"]
        for name, html in self.fragments.items():
            frames.append(f"event: fragment\ndata: {json.dumps({'id': name, 'html': html})}\n\n")
        return "".join(frames).encode()


@dataclass(slots=True)
class _Channel:
    """What all who watch the same are shown; `version` grows with each render that differs."""

    fragments: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    version: int = 0
    is_away: bool = False
    watchers: int = 0
    updates: dict[int, FragmentUpdate] = field(default_factory=dict)
    waiting: dict[asyncio.Future[None], None] = field(default_factory=dict)
    rendering: asyncio.Task[None] | None = None

    def show(self, fragments: Fragments) -> None:
        """Keep what differs from what was shown."""
        differing = {name: html for name, html in fragments.items() if self.fragments.get(name) != html}
        if differing or self.is_away:
            self.version += 1
            self.is_away = False
            self.fragments.update(differing)
            self.versions.update(dict.fromkeys(differing, self.version))
            self._wake()

    def lose(self) -> None:
        """The database is away."""
        if not self.is_away:
            self.version += 1
            self.is_away = True
            self._wake()

    def since(self, version: int) -> FragmentUpdate:
        """What has changed since a version: the same value for all who ask for it."""
        update = self.updates.get(version)
        if update is None:
            newer = {name: self.fragments[name] for name, at in self.versions.items() if at > version}
            update = self.updates[version] = FragmentUpdate(newer, self.is_away)
        return update

    async def change(self) -> None:
        """Return after the next change, when it is this watcher's turn."""
        change = asyncio.get_running_loop().create_future()
        self.waiting[change] = None
        try:
            await change
        finally:
            self.waiting.pop(change, None)

    def _wake(self) -> None:
        self.updates.clear()
        waiting = list(self.waiting)
        self.waiting.clear()
        loop = asyncio.get_running_loop()
        at_once = max(TOLD_AT_ONCE, math.ceil(len(waiting) / MOST_TURNS))
        for place in range(0, len(waiting), at_once):
            loop.call_later(place // at_once * TOLD_EVERY_S, _tell, waiting[place : place + at_once])


def _tell(waiting: Sequence[asyncio.Future[None]]) -> None:
    for change in waiting:
        if not change.done():
            change.set_result(None)


class LiveFragments:
    """The fragments that are watched, by what they show. `clock` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._channels: dict[Hashable, _Channel] = {}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._rendered_at: dict[str, float] = {}
        self.renders = 0
        """How often something was rendered."""

    async def watch(
        self, loops: Loops, kind: str, view: Hashable, render: Render, every_s: float
    ) -> AsyncGenerator[FragmentUpdate, None]:
        """Yield what is there, then each change; an empty update where nothing happened for a while.

        Those who watch the same `view` of one `kind` share what is rendered every `every_s` seconds, which is less
        often where many views of that kind are watched: no kind is rendered more than four times a second.
        """
        channel = self._channels.setdefault((kind, view), _Channel())
        channel.watchers += 1
        if channel.rendering is None:
            loop = loops.forever(
                f"rendering {kind}",
                lambda: self._turn(channel, kind, render),
                pause_s=every_s,
                away=(Unavailable,),
                longest_pause_s=LONGEST_PAUSE_S,
            )
            channel.rendering = shared_task(loop)
        try:
            version = 0
            while True:
                if channel.version > version:
                    update, version = channel.since(version), channel.version
                    yield update
                    continue
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await channel.change()
                except TimeoutError:
                    yield FragmentUpdate(is_away=channel.is_away)
        finally:
            channel.watchers -= 1
            if not channel.watchers:
                channel.rendering.cancel()
                self._channels.pop((kind, view), None)

    async def _turn(self, channel: _Channel, kind: str, render: Render) -> None:
        """Render once, when it is this kind's turn. Raises what `render` raises."""
        async with self._turns[kind]:
            wait_s = self._rendered_at.get(kind, float("-inf")) + SHORTEST_S - self._clock()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._rendered_at[kind] = self._clock()
        self.renders += 1
        try:
            channel.show(await render())
        except Refused:
            channel.show({})  # what was watched is gone: the page stays as it is
        except Exception:
            channel.lose()
            raise

"""Turns at what only so many may do at once."""

import asyncio


class Turns:
    """By name, as many at once as `most`. Whoever comes then waits, in order of coming."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_name: dict[str, asyncio.Semaphore] = {}

    def of(self, name: str) -> asyncio.Semaphore:
        """Those of this name; names are few."""
        turns = self._by_name.get(name)
        if turns is None:
            turns = self._by_name[name] = asyncio.Semaphore(self._most)
        return turns

"""Turns at what only so many may do at once."""

import asyncio


class Turn:
    """One turn, which is waited for, held, and given back."""

    __slots__ = ("_is_held", "_places")

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._is_held = False

    async def take(self) -> None:
        """Wait for it, in order of coming. Nothing where it is held."""
        if not self._is_held:
            await self._places.acquire()
            self._is_held = True

    def give_back(self) -> bool:
        """Let the next one have it. Returns whether it was held."""
        was_held, self._is_held = self._is_held, False
        if was_held:
            self._places.release()
        return was_held


class Turns:
    """By name, as many at once as `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_name: dict[str, asyncio.Semaphore] = {}

    def of(self, name: str) -> Turn:
        """One to wait for, of those of this name; names are few."""
        places = self._by_name.get(name)
        if places is None:
            places = self._by_name[name] = asyncio.Semaphore(self._most)
        return Turn(places)

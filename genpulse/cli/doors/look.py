"""Asking an API which doors it has open, and whether it wants a key."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from genpulse.cli.doors.client_settings import NAMES, Place

_PATIENCE_S = 5.0
_ENVIRONMENT = "/v1/environment"


@dataclass(frozen=True, slots=True)
class Seen:
    """What an API answered. `answers`: it is there. `opened` are the names of its doors.

    `needs_key`: calls need one; `takes_key`: it takes the one that is configured, None where none is.
    """

    answers: bool
    opened: frozenset[str] = frozenset()
    needs_key: bool = False
    takes_key: bool | None = None


async def look(place: Place, key: str | None) -> Seen:
    """Ask by the plainer address of both."""
    url = place.plain_url
    trusting = ssl.create_default_context(cafile=place.ca_file) if place.ca_file else None
    patience = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with aiohttp.ClientSession(timeout=patience, trust_env=True) as session:
        connect = _Ask(session, trusting)
        try:
            without = await connect.status(f"{url}{_ENVIRONMENT}")
            said = await asyncio.gather(*(connect.text(f"{url}/{name}/-") for name in NAMES))
            takes_key = None
            if key:
                status = await connect.status(f"{url}{_ENVIRONMENT}", {"Authorization": f"Bearer {key}"})
                takes_key = status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return Seen(answers=False)
    opened = {name for name, text in zip(NAMES, said, strict=True) if f"switch-from-{name}" in text}
    return Seen(True, frozenset(opened), without != HTTPStatus.OK, takes_key)


@dataclass(frozen=True, slots=True)
class _Ask:
    session: aiohttp.ClientSession
    trusting: ssl.SSLContext | None

    async def status(self, url: str, headers: Mapping[str, str] | None = None) -> int:
        async with self.session.get(url, headers=headers, ssl=self.trusting or True) as answer:
            return answer.status

    async def text(self, url: str) -> str:
        """What is said of a path that no door has, by which it is known."""
        async with self.session.get(url, ssl=self.trusting or True) as answer:
            return await answer.text(errors="replace")

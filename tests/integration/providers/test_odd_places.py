"""Each place of each good answer holds each odd value once: nothing but the declared errors comes out."""

import asyncio
import copy
import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from genpulse.provider import OutputUnavailable, ProviderSettings
from genpulse.provider.http import Reply, Request
from tests.integration.providers.scripted import KEY, Asked, Told
from tests.integration.providers.subjects import SUBJECTS, Subject

BASE = "http://vendor.example:1"
DEEP = json.loads("[" * 300 + "]" * 300)
NUMBERS = (True, False, 0, -1, 7, 0.5, 101, 10**400, -(10**400), math.nan, math.inf, -math.inf)
TEXTS = ("", " ", "x", "\ud83d", "\0", "..", "1e999", "error", "failed", "COMPLETED", "succeeded")
ADDRESSES = ("https://127.0.0.1/x", "http://[", "data:", "data:,", "data:image/png;base64,%")
LISTS = ([], [None], ["x"], [[]], [7], [{}], DEEP)
OBJECTS = ({}, {"x": None}, {"message": ["x"]}, {"url": 7}, {"filename": "a"}, {"": {"": {}}})
ODD = (None, *NUMBERS, *TEXTS, *ADDRESSES, *LISTS, *OBJECTS)
REMOVED = object()


class Line:
    """An `Http` that is told by a test what every request is answered."""

    def __init__(self) -> None:
        self.told = Told()
        self.asked: list[Asked] = []

    async def send(self, request: Request) -> Reply:
        path = request.address.removeprefix(BASE)
        self.asked.append(Asked(request.method, path, dict(request.headers), b"", {}))
        is_first = path == "/queue" and not isinstance(self.told.body, dict)
        body = {} if is_first else self.told.body
        return Reply(self.told.status, {"content-type": "application/json"}, json.dumps(body).encode())

    async def fetch_public(self, url: str, **_: object) -> AsyncIterator[bytes]:
        raise OutputUnavailable(f"nothing is fetched here, not {url!r} either")
        yield b""

    async def fetch_own(self, url: str, **_: object) -> AsyncIterator[bytes]:
        assert url.startswith(f"{BASE}/")
        yield b"x"

    @asynccontextmanager
    async def websocket(self, url: str, headers: Mapping[str, str]) -> AsyncIterator["Line"]:
        yield self

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self

    async def __anext__(self) -> str:
        await asyncio.Event().wait()
        raise StopAsyncIteration


def places(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    entries = document.items() if isinstance(document, dict) else ()
    entries = enumerate(document) if isinstance(document, list) else entries
    for name, inner in entries:
        yield from places(inner, (*place, name))


def with_odd(good: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """The document with something else in one place."""
    if not place:
        return odd
    document, (name, *inner) = copy.copy(good), place
    if inner or odd is not REMOVED:
        document[name] = with_odd(document[name], tuple(inner), odd)
    else:
        del document[name]
    return document


CASES = [pytest.param(one, phase, id=f"{one.name} {phase}") for one in SUBJECTS for phase in one.phases]


@pytest.mark.parametrize("status", [200, 400, 404, 422, 500])
@pytest.mark.parametrize(("subject", "phase"), CASES)
async def test_each_place_may_hold_anything(subject: Subject, phase: str, status: int) -> None:
    line = Line()
    plug_in = subject.build(ProviderSettings(KEY, BASE, {"workflows": "/nowhere"}, line))
    for good in subject.phases[phase]:
        for place in places(good):
            for odd in (*ODD, REMOVED) if place else ODD:
                line.asked, line.told = [], Told(with_odd(good, place, odd), status)
                found = await subject.ask(plug_in, phase, BASE)
                try:
                    subject.check(phase, found, line.told, line.asked)
                except AssertionError as error:
                    raise AssertionError(f"{line.told.body!r} gave {found!r}: {error}") from error
    await plug_in.close()

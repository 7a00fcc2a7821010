"""A door: the API of somebody else, spoken on the same port under a prefix of its own.

Its calls are looked up here and not in the framework, and are no part of the OpenAPI document.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from genpulse.api.errors import Internal, MethodNotTaken, UnknownCall
from genpulse.api.requests.paths import inner_path
from genpulse.domain.errors import Refused, Unavailable

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Refusal: TypeAlias = Refused | Unavailable | Internal
Headers: TypeAlias = Sequence[tuple[str, str]]

_OPENED = "genpulse.door"
"""Key in the scope: the `OpenedCall` of a request that came by a door."""
_TAIL = re.compile(r"/+$")


@dataclass(frozen=True, slots=True)
class DoorCall:
    """A call of a door: `path` is a template below its prefix, as Starlette has them.

    `needs_key` is False where anybody may call. `reads` says whether a key that may only read may; None: by the
    method. `takes_files`: its body may be as large as an upload, and else `body_bytes`; None: as of our own calls.
    """

    method: str
    path: str
    handler: Handler
    needs_key: bool = True
    reads: bool | None = None
    takes_files: bool = False
    body_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """The call of a request, with what its path says."""

    door: "Door"
    call: DoorCall | None
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """The path of the call as metrics tell of it."""
        return f"{self.door.prefix}{self.call.path}" if self.call else "unmatched"


class Door:
    """The calls under `prefix`, how it speaks of errors, and the headers that every answer of it has."""

    def __init__(
        self,
        name: str,
        prefix: str,
        calls: Sequence[DoorCall],
        refuse: Callable[[Refusal, Scope], Response],
        headers: Callable[[Scope], Headers] = lambda _scope: (),
    ) -> None:
        self.name = name
        self.prefix = prefix
        self.refuse = refuse
        self.headers = headers
        self._fixed = {(call.method, call.path): call for call in reversed(calls) if "{" not in call.path}
        self._calls = [(compile_path(call.path), call) for call in calls]

    def open(self, scope: Scope) -> OpenedCall:
        """The call that this request makes, which is without one where there is none."""
        path = _TAIL.sub("", inner_path(scope)[len(self.prefix) :])
        method = scope["method"]
        method = "GET" if method == "HEAD" else method
        if (fixed := self._fixed.get((method, path))) is not None:
            return OpenedCall(self, fixed)
        for (pattern, _, convertors), call in self._calls:
            if call.method == method and (match := pattern.match(path)):
                words = match.groupdict()
                parameters = {name: convertor.convert(words[name]) for name, convertor in convertors.items()}
                return OpenedCall(self, call, parameters)
        return OpenedCall(self, None)

    def unknown(self, scope: Scope) -> Refused:
        """What to say of a request that no call takes."""
        path = _TAIL.sub("", inner_path(scope)[len(self.prefix) :])
        taken = sorted({call.method for (pattern, *_), call in self._calls if pattern.match(path)})
        shown = scope["path"][:200]
        return MethodNotTaken(shown, scope["method"], taken) if taken else UnknownCall(shown, self.name)


class Doors:
    """All doors of an application."""

    def __init__(self, doors: Sequence[Door] = ()) -> None:
        self._doors = {door.prefix.strip("/"): door for door in doors}

    def note(self, scope: Scope) -> OpenedCall | None:
        """Note in the scope which call of which door this is; None where it is none's."""
        door = self._doors.get(inner_path(scope)[1:].partition("/")[0]) if self._doors else None
        if door is None:
            return None
        opened = scope[_OPENED] = door.open(scope)
        scope["path_params"] = dict(opened.parameters)
        return opened


def opened_call(scope: Scope) -> OpenedCall | None:
    """The call of a door that this request makes, None where it came by none."""
    opened: OpenedCall | None = scope.get(_OPENED)
    return opened

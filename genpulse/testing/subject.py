"""The subject of checks: a plug-in, and a fake of its vendor that can be put into any situation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from genpulse.domain.json.value import JsonObject
from genpulse.provider import Callback, Provider, ProviderSettings
from genpulse.testing.oddity import Oddity, Phase
from genpulse.testing.situation import NoticeKind, Situation

__all__ = ["FakeVendor", "Lacking", "NoticeKind", "Situation", "Subject"]


class Lacking(Exception):
    """The vendor has nothing of this kind; the message says why."""


class FakeVendor(Protocol):
    """A server on the loopback device that speaks the vendor's protocol over HTTP."""

    @property
    def base_url(self) -> str:
        """The value for `providers.<name>.base_url`."""

    @property
    def submits(self) -> int:
        """The number of jobs that it was asked for, however it answered."""

    @property
    def canceled(self) -> int:
        """The number of jobs that it was asked to stop."""

    @property
    def keys(self) -> frozenset[str]:
        """Every value of the header that carries the key, of every request."""

    @property
    def leaks(self) -> tuple[str, ...]:
        """Requests that carried the key where no plug-in has a reason to send it."""

    @property
    def inside_hits(self) -> int:
        """The number of connections to the private address of INSIDE_OUTPUT and REDIRECTED_OUTPUT."""

    @property
    def met(self) -> int:
        """The number of requests that were answered oddly since the situation began."""

    def be(self, situation: Situation) -> None:
        """Behave so from now on, also towards jobs that it has, and without an oddity."""

    def meet(self, *oddities: Oddity, situation: Situation = Situation.WELL) -> None:
        """Answer so from now on, one after the other in each phase, and behave as the situation says otherwise."""

    def asked(self, phase: Phase) -> int:
        """The number of requests of a phase."""

    def notice(self, kind: NoticeKind) -> Callback:
        """A notice about a job."""


@dataclass(frozen=True)
class Subject:
    """A plug-in under test. `model` is the public id, `key` the API key that it gets.

    `lacks` says why there is no occasion for a situation, for a phase, or for notices (`"notices"`).
    """

    build: Callable[[ProviderSettings], Provider]
    fake: FakeVendor
    model: str
    input: JsonObject
    kind: str | None = None
    key: str | None = "key-of-the-account"
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)

    def need(self, situation: Situation) -> None:
        """Put the fake into a situation. Raises `Lacking`."""
        self._need(situation.name)
        self.fake.be(situation)

    def meet(self, *oddities: Oddity) -> None:
        """Let the fake answer so. Raises `Lacking`."""
        for oddity in oddities:
            self._need(oddity.phase.name)
        self.fake.meet(*oddities)

    def _need(self, name: str) -> None:
        if reason := self.lacks.get(name.lower()):
            raise Lacking(reason)

    def without_key(self) -> "Subject":
        """The subject on a worker that has no key, while the API has one and takes tasks."""

        def build(settings: ProviderSettings) -> Provider:
            return replace(self.build(settings), configured=True)

        return replace(self, key=None, build=build)

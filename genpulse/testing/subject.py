"""What is checked: a plug-in, and a fake of its vendor that can be put into any situation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from genpulse.domain.json_value import JsonObject
from genpulse.provider import Notice, Provider, ProviderSettings


class Situation(StrEnum):
    """What the fake does with the next jobs. Where nothing else is said, it behaves well otherwise."""

    WELL = "takes the job, makes progress, and ends it with an output"
    SLOW = "takes the job and does not end it until it is told to do WELL"
    ODD_STATUS = "says a status word twice that nobody has heard of, then ends the job"
    LOST_ANSWER = "takes the job and drops the connection without an answer"
    GARBLED_ANSWER = "takes the job and answers with JSON that is cut off"
    HTML_ANSWER = "takes the job and answers with status 502 and a page of HTML, as a proxy does"
    INVALID = "refuses the input"
    MODERATED = "refuses the input or the output by its moderation"
    BAD_KEY = "refuses the key"
    NO_CREDIT = "refuses because the account has no credit"
    BUSY = "answers one submit with 429 and Retry-After: 1, then takes the job"
    BUSY_SILENTLY = "answers one submit with 429 and no Retry-After, then takes the job"
    JOB_FAILED = "takes the job, and it fails"
    POLL_DOWN = "answers two polls with 503, then goes on"
    POLL_DROPPED = "drops the connection of two polls, then goes on"
    NO_OUTPUT = "ends the job with an empty result"
    EMPTY_OUTPUT = "ends the job with an output of 0 bytes"
    BROKEN_OUTPUT = "breaks the first download off, then serves it"
    SHORT_LIVED_OUTPUT = "serves the output for two seconds after its last word about the job"
    GONE_OUTPUT = "answers 404 for the output"
    INSIDE_OUTPUT = "names an output on a private address that is not its own"
    REDIRECTED_OUTPUT = "redirects the download to a private address that is not its own"


class NoticeKind(StrEnum):
    """A notice, as the vendor sends it or as somebody else might."""

    GOOD = "signed as the vendor signs"
    BAD = "with a wrong signature"
    OLD = "rightly signed an hour ago"


class Lacking(Exception):
    """The vendor has nothing of this kind; the message says why."""


class FakeVendor(Protocol):
    """A server on the loopback device that speaks the vendor's protocol over HTTP."""

    @property
    def base_url(self) -> str:
        """What `providers.<name>.base_url` would say."""

    @property
    def submits(self) -> int:
        """How many jobs it was asked for, however it answered."""

    @property
    def canceled(self) -> int:
        """How many jobs it was asked to stop."""

    @property
    def keys(self) -> frozenset[str]:
        """Every value of the header that carries the key, of every request."""

    @property
    def inside_hits(self) -> int:
        """How many requests reached the private address of INSIDE_OUTPUT and REDIRECTED_OUTPUT."""

    def be(self, situation: Situation) -> None:
        """Behave so from now on, also towards jobs that it has."""

    def notice(self, kind: NoticeKind) -> Notice:
        """A notice about a job."""


@dataclass(frozen=True)
class Subject:
    """A plug-in under test. `model` is the public id, `key` the API key that it gets.

    `lacks` says why there is no occasion for a situation or for notices (`"notices"`).
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
        if reason := self.lacks.get(situation.name.lower()):
            raise Lacking(reason)
        self.fake.be(situation)

    def without_key(self) -> "Subject":
        """The same, not configured."""
        return replace(self, key=None)

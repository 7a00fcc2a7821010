"""The behaviour of a fake vendor: its situation, and the jobs and results that follow from it."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from aiohttp import web

from genpulse.testing.answers import cut_off
from genpulse.testing.media import IN_THE_ANSWER, PNG, as_uri, in_base64
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.situation import Situation

SHORT_LIFE_S = 2.0
"""How long SHORT_LIVED_OUTPUT lasts, in seconds."""
ODD_JOB_ID = "a#b/c d+e%2Fé?"
"""A job's id that a path has to quote."""
_SIGNED = "/signed/a%28b%29%40c%27.png?sig=a%2Fb%2Bc%3D%3D&x=%7e"
_LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance."
_BUSY = OddAnswer(429, Body.WORDS, words="Too many requests", taken=False)
ODDITIES: Mapping[Situation, Oddity] = MappingProxyType(
    {
        Situation.LOST_ANSWER: Oddity(Phase.ORDER, OddAnswer(body=Body.DROPPED)),
        Situation.GARBLED_ANSWER: Oddity(Phase.ORDER, OddAnswer(body=Body.CUT)),
        Situation.HTML_ANSWER: Oddity(Phase.ORDER, OddAnswer(502, Body.HTML)),
        Situation.BLANK_ANSWER: Oddity(Phase.ORDER, OddAnswer(body=Body.HEARTBEAT)),
        Situation.BUSY: Oddity(
            Phase.ORDER, OddAnswer(429, Body.WORDS, {"Retry-After": "1"}, _BUSY.words, taken=False), times=1
        ),
        Situation.BUSY_SILENTLY: Oddity(Phase.ORDER, _BUSY, times=1),
        Situation.LOCKED: Oddity(
            Phase.ORDER,
            OddAnswer(
                403,
                Body.WORDS,
                words="User is locked. Reason: Exhausted balance. Top up your balance.",
                taken=False,
            ),
        ),
        Situation.POLL_DOWN: Oddity(Phase.POLL, OddAnswer(503, Body.HTML), times=2),
        Situation.POLL_DROPPED: Oddity(Phase.POLL, OddAnswer(body=Body.DROPPED), times=2),
    }
)
"""Situations that are nothing but an odd answer, so that a fake which names its phases gets them for nothing."""


class FakeBehaviour:
    """The state and decisions of a fake vendor, in whatever situation it is put.

    `own_result_path` is where the vendor serves results from its own API, with a slash at its end.
    """

    oddities: ClassVar[Mapping[Situation, Oddity]] = ODDITIES
    own_result_path: ClassVar[str] = "/output/"

    def __init__(self) -> None:
        self.situation = Situation.WELL
        self.base_url = ""
        self.files_url = ""
        self.inside_url = ""
        self.met = 0
        self._oddities: tuple[Oddity, ...] = ()
        self._left: dict[str, int] = {}
        self._spoke_at = 0.0

    def be(self, situation: Situation) -> None:
        """Behave so from now on, and without an oddity."""
        self.situation = situation
        oddity = self.oddities.get(situation)
        self._oddities = (oddity,) if oddity else ()
        self._left, self.met = {}, 0

    def meet(self, *oddities: Oddity, situation: Situation = Situation.WELL) -> None:
        """Answer so from now on, and behave as the situation says otherwise."""
        self.be(situation)
        self._oddities = (*oddities, *self._oddities)

    def times(self, what: str, count: int) -> bool:
        """True for the first `count` times that it is asked since the situation began."""
        left = self._left.setdefault(what, count)
        self._left[what] = left - 1
        return left > 0

    def odd_in(self, phase: Phase) -> OddAnswer | None:
        """The odd answer to a request of this phase, if it is its turn."""
        for number, oddity in enumerate(self._oddities):
            if oddity.phase is not phase:
                continue
            if oddity.times is None or self.times(f"oddity {number}", oddity.times):
                self.met += 1
                return oddity.answer
        return None

    def named(self, job_id: str) -> str:
        """The id under which a job is taken."""
        match self.situation:
            case Situation.ODD_JOB_ID:
                return ODD_JOB_ID
            case Situation.EMPTY_JOB_ID:
                return ""
            case _:
                return job_id

    def spelled(self, word: str) -> str:
        """A status word of the end."""
        return word.swapcase() if self.situation is Situation.SPELLED_STATUS else word

    def results(self, job_id: str) -> list[str]:
        """The results of a job: addresses of files, or files as `data:` URIs."""
        match self.situation:
            case situation if situation in IN_THE_ANSWER:
                return [as_uri(situation)]
            case Situation.INSIDE_OUTPUT:
                return [self.inside_url]
            case Situation.OWN_API_OUTPUT:
                return [f"{self.base_url}{path}" for path in self.own_api()]
            case Situation.PARTIAL_OUTPUT:
                return [f"{self.files_url}/output/{job_id}", f"{self.files_url}/output/gone-{job_id}"]
            case Situation.FRESH_OUTPUT if self.times("fresh", 1):
                return [f"{self.files_url}/down/{job_id}"]
            case Situation.SIGNED_OUTPUT:
                return [f"{self.files_url}{_SIGNED}"]
            case _:
                return [f"{self.files_url}/output/{job_id}"]

    def own_api(self) -> list[str]:
        """Paths of the vendor's API that no result may lead to, as they are and in disguise."""
        prefix = self.own_result_path
        return [
            "/v1/everything",
            f"{prefix}../v1/everything",
            f"{prefix}%2e%2e/v1/everything",
            f"{prefix}..%2Fv1%2Feverything",
            f"/{prefix.strip('/')}everything",
            f"{prefix}/..//../v1/everything",
            "//v1/everything",
            "/v1/everything#" + prefix,
            "/v1/everything?" + prefix,
        ]

    def encoded(self) -> str:
        """The output in base64, where the vendor puts it into its answer."""
        return in_base64(self.situation)

    async def output(self, request: web.Request) -> web.StreamResponse:
        """The file of a job."""
        match self.situation:
            case Situation.SHORT_LIVED_OUTPUT if time.monotonic() - self._spoke_at > SHORT_LIFE_S:
                return web.Response(status=404, text="expired")
            case Situation.EMPTY_OUTPUT:
                return web.Response(body=b"")
            case Situation.PARTIAL_OUTPUT if "gone" in request.raw_path:
                return web.Response(status=404, text="expired")
            case Situation.GONE_OUTPUT:
                return web.Response(status=404, text="expired")
            case Situation.REDIRECTED_OUTPUT:
                raise web.HTTPFound(self.inside_url)
            case Situation.OWN_API_REDIRECT:
                raise web.HTTPFound(f"{self.base_url}/v1/everything")
            case Situation.SIGNED_REDIRECT:
                return web.Response(status=302, headers={"Location": f"{self.files_url}{_SIGNED}"})
            case Situation.BROKEN_OUTPUT if self.times("broken", 1):
                return await cut_off(request, PNG)
            case _:
                return web.Response(body=PNG, content_type="image/png")

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Files at other addresses: signed, or never there."""
        if request.raw_path == _SIGNED:
            return web.Response(body=PNG, content_type="image/png")
        status = 503 if request.path.startswith("/down/") else 403
        return web.Response(status=status, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")

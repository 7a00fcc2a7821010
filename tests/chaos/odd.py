"""Answers of vendors in the world, which a third of the tasks meets while everything is killed.

Each is an answer of the conformance kit. What can never be used, again and again, is borne with for ten minutes,
which is longer than a run waits for its last tasks: that end is held by the kit, with shorter bounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.testing import Body, OddAnswer, Oddity, Phase
from tests.chaos.shape import Shape

_WORDS = "the queue did not answer in time"


@dataclass(frozen=True)
class Odd:
    """What a task meets. `code` is how it ends by it, None where it goes on as if nothing had been."""

    oddity: Oddity
    code: str | None = None

    @property
    def hides_order(self) -> bool:
        """Whether an order was taken, and nobody but the vendor knows."""
        return self.oddity.phase is Phase.ORDER and self.oddity.answer.taken

    def suits(self, shape: Shape) -> bool:
        """Whether a model of this shape can meet it. What is answered at once is the file: a text is one, too."""
        phase, answer = self.oddity.phase, self.oddity.answer
        if shape.is_polled:
            return True
        is_lost = (answer.status or 200) >= 300 or answer.body in {Body.FALSE_GZIP, Body.SHORT}
        return shape.is_paid and phase is Phase.ORDER and is_lost


def _taken(status: int | None, body: Body = Body.WORDS) -> Odd:
    return Odd(Oddity(Phase.ORDER, OddAnswer(status, body, words=_WORDS)))


def _refused(status: int, body: Body, code: str) -> Odd:
    return Odd(Oddity(Phase.ORDER, OddAnswer(status, body, words="no such thing", taken=False)), code)


def _busy(retry_after: str) -> Odd:
    answer = OddAnswer(429, Body.WORDS, {"Retry-After": retry_after}, "slow down", taken=False)
    return Odd(Oddity(Phase.ORDER, answer, times=1))


def _asked(phase: Phase, status: int | None, body: Body = Body.WORDS, times: int = 2, **headers: str) -> Odd:
    return Odd(Oddity(phase, OddAnswer(status, body, headers, _WORDS), times))


def _file(answer: OddAnswer, code: str | None, times: int | None = None) -> Odd:
    return Odd(Oddity(Phase.DOWNLOAD, answer, times), code)


_ALL = (
    *(_taken(status) for status in (408, 409, 423, 425, 500, 502, 504, 520, 524)),
    *(_taken(302, body) for body in (Body.ELSEWHERE, Body.EMPTY)),
    *(_taken(200, body) for body in (Body.HTML, Body.EMPTY, Body.NULL, Body.LIST, Body.OBJECT, Body.TEXT)),
    *(_taken(None, body) for body in (Body.FALSE_GZIP, Body.SHORT, Body.EVENTS, Body.CUT)),
    _taken(504, Body.SURROGATE),
    _refused(422, Body.SURROGATE, "invalid_input"),
    _refused(402, Body.WORDS, "quota_exhausted"),
    _refused(403, Body.HTML, "provider_rejected"),
    _refused(404, Body.WORDS, "provider_rejected"),
    _refused(451, Body.WORDS, "provider_rejected"),
    *(_busy(words) for words in ("0", "soon", "-5", "NaN", "Wed, 21 Oct 2015 07:28:00 GMT")),
    *(_asked(Phase.POLL, status) for status in (400, 401, 402, 404, 410, 422, 500, 520)),
    *(_asked(Phase.POLL, None, body) for body in (Body.NULL, Body.LIST, Body.EMPTY, Body.CUT, Body.FALSE_GZIP)),
    _asked(Phase.POLL, 403, Body.HTML),
    _asked(Phase.POLL, 500, Body.SURROGATE),
    _asked(Phase.POLL, 302, Body.ELSEWHERE),
    _asked(Phase.POLL, 429, times=1, **{"Retry-After": "86400"}),
    *(_asked(Phase.COLLECT, status) for status in (404, 429, 500, 524)),
    *(_asked(Phase.COLLECT, None, body) for body in (Body.HTML, Body.CUT, Body.SHORT, Body.FALSE_GZIP)),
    *(_asked(Phase.DOWNLOAD, status, Body.XML) for status in (403, 404, 408, 425, 429, 500, 503, 520, 524)),
    *(_asked(Phase.DOWNLOAD, None, body) for body in (Body.SHORT, Body.DROPPED, Body.FALSE_GZIP)),
    *(_asked(Phase.CANCEL, status) for status in (404, 409, 500)),
    *(_file(OddAnswer(200, body), "output_unavailable") for body in (Body.HTML, Body.XML, Body.WORDS, Body.TEXT)),
    *(_file(OddAnswer(headers={"Content-Type": word}), None) for word in ("text/html", "application/json")),
)
ODD: Mapping[str, Odd] = {str(one.oddity): one for one in _ALL}
"""Each by what it is called in reports."""

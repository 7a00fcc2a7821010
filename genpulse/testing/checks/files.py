"""Files that a vendor's result names."""

from dataclasses import replace

from genpulse.testing.checks.check import (
    Check,
    Outcome,
    in_each,
    is_paid_for_nothing,
    model_of,
    need,
    outcome_of,
    succeeds,
)
from genpulse.testing.media import PNG
from genpulse.testing.oddity import Body, OddAnswer, Oddity, Phase
from genpulse.testing.rig import IMPATIENT, Terms
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Subject

_PASSING = (403, 404, 408, 410, 425, 429, 500, 501, 502, 503, 504, 507, 520, 521, 522, 523, 524, 527, 529)
_BROKEN = (Body.SHORT, Body.DROPPED, Body.FALSE_GZIP)
_NO_PICTURE = (Body.HTML, Body.XML, Body.TEXT, Body.WORDS, Body.LIST)
_HEADERS = ("text/html", "application/json", "text/plain", "application/octet-stream", "no type at all")


def _download(status: int | None, body: Body, times: int | None = 1) -> Oddity:
    return Oddity(Phase.DOWNLOAD, OddAnswer(status, body), times)


def _is_the_picture(outcome: Outcome) -> None:
    succeeds(outcome)
    need(outcome.contents == (PNG,), "its bytes are not those that were made")


def _typed(media_type: str) -> Oddity:
    return Oddity(Phase.DOWNLOAD, OddAnswer(None, Body.OWN, {"Content-Type": media_type}))


async def _check_no_picture(subject: Subject) -> None:
    """Bytes decide what was made, and are held against what was ordered."""
    subject = _for_pictures(subject)

    def judge(outcome: Outcome) -> None:
        is_paid_for_nothing(outcome)
        words = ("Bad Gateway", "AccessDenied", "upstream", "something is wrong here", "[]")
        need(any(word in outcome.failure.message for word in words), f"its words are lost: {outcome}")

    await in_each([_download(200, body, times=None) for body in _NO_PICTURE], judge)(subject)


def _for_pictures(subject: Subject) -> Subject:
    kinds = model_of(subject).kinds
    kind = "text-to-image" if "text-to-image" in kinds else subject.kind
    return replace(subject, kind=subject.kind or kind)


async def _check_too_large(subject: Subject) -> None:
    oddity = _download(None, Body.HUGE, times=None)
    is_paid_for_nothing(await outcome_of(subject, oddity, Terms(longest_s=60.0)))
    need(subject.fake.met == 1, f"it was fetched {subject.fake.met} times")


def _never_inside(name: str, situation: Situation) -> Check:
    async def run(subject: Subject) -> None:
        is_paid_for_nothing(await outcome_of(subject, situation))
        need(subject.fake.inside_hits == 0, "an address inside our network was reached")

    return Check(name, run)


async def _check_other_hosts(subject: Subject) -> None:
    """Check that files on a private address are fetched only where the operator allows that host."""
    options = {name: value for name, value in subject.options.items() if name != "allowed_hosts"}
    before = subject.fake.asked(Phase.DOWNLOAD)
    is_paid_for_nothing(await outcome_of(replace(subject, options=options), Situation.FOREIGN_OUTPUT))
    need(subject.fake.asked(Phase.DOWNLOAD) == before, "a host that nobody has allowed was asked")


CHECKS = (
    Check("an output of 0 bytes", in_each([Situation.EMPTY_OUTPUT], is_paid_for_nothing)),
    Check("an output that is gone", in_each([Situation.GONE_OUTPUT], is_paid_for_nothing, Terms(IMPATIENT))),
    Check("an output that expires soon is collected before", in_each([Situation.SHORT_LIVED_OUTPUT], succeeds)),
    Check("an output whose first address is down for good", in_each([Situation.FRESH_OUTPUT], _is_the_picture)),
    Check("a download that breaks off", in_each([Situation.BROKEN_OUTPUT], succeeds)),
    Check(
        "a download that is refused once is waited out",
        in_each([_download(status, Body.XML) for status in _PASSING], _is_the_picture),
    ),
    Check(
        "a download whose body is broken once is waited out",
        in_each([_download(None, body) for body in _BROKEN], _is_the_picture),
    ),
    Check("an output that is too large is fetched once", _check_too_large),
    Check("a page, a document or a text in place of a picture is no success", _check_no_picture),
    Check("a picture under a wrong header is one", in_each(map(_typed, _HEADERS), _is_the_picture)),
    Check(
        "a signed address is asked for byte for byte, redirects too",
        in_each([Situation.SIGNED_OUTPUT, Situation.SIGNED_REDIRECT], _is_the_picture),
    ),
    _never_inside("an output inside our network", Situation.INSIDE_OUTPUT),
    _never_inside("a redirect into our network", Situation.REDIRECTED_OUTPUT),
    Check("a host that nobody has allowed is not asked", _check_other_hosts),
)

"""Checks of questions about the account, and of the vendor's callbacks."""

from contextlib import AsyncExitStack

from genpulse.adapters.http.http_client import HttpClient
from genpulse.domain.errors import AuthenticationFailed
from genpulse.provider import ProviderSettings, TwoPhase
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.checks.check import Check, need
from genpulse.testing.situation import NoticeKind, Situation
from genpulse.testing.subject import Lacking, Subject


async def _check_notices(subject: Subject) -> None:
    if reason := subject.lacks.get("notices"):
        raise Lacking(reason)
    subject.need(Situation.WELL)
    async with AsyncExitStack() as stack:
        http = HttpClient("conformance")
        stack.push_async_callback(http.close)
        settings = ProviderSettings(subject.key, subject.fake.base_url, subject.options, http)
        engine = LoadedCatalogue([subject.build(settings)]).model(subject.model).engine
        assert isinstance(engine, TwoPhase)  # noqa: S101 - others have no notices
        good = subject.fake.notice(NoticeKind.GOOD)
        accepted = {kind: await engine.is_authentic(subject.fake.notice(kind)) for kind in NoticeKind}
        again = await engine.is_authentic(good) and await engine.is_authentic(good)
    need(accepted[NoticeKind.GOOD], "a good notice is refused")
    need(not accepted[NoticeKind.BAD], "a notice with a wrong signature is accepted")
    need(not accepted[NoticeKind.OLD], "an old notice is accepted")
    need(again, "a notice that comes twice, as vendors send them, is refused")


async def _check_probe(subject: Subject) -> None:
    async with AsyncExitStack() as stack:
        http = HttpClient("conformance")
        stack.push_async_callback(http.close)
        provider = subject.build(ProviderSettings(subject.key, subject.fake.base_url, subject.options, http))
        if provider.probe is None:
            raise Lacking("the vendor has no call that is cheap enough")
        subject.need(Situation.WELL)
        need(bool(await provider.probe()), "it does not say what it found")
        need(subject.fake.submits == 0, "it submitted a job")
        subject.need(Situation.BAD_KEY)
        try:
            await provider.probe()
        except AuthenticationFailed:
            return
    raise AssertionError("a refused key is not noticed")


CHECKS = (
    Check("notices: good, wrong, old, twice", _check_notices),
    Check("the cheapest call tells whether the key is taken", _check_probe),
)

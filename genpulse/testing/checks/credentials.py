"""Who we are is told to the vendor alone, for what the plug-in itself asks."""

from genpulse.domain.failure import FailureCode
from genpulse.provider import ProviderSettings
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.checks.check import Check, need, outcome_of
from genpulse.testing.rig import IMPATIENT, Terms
from genpulse.testing.situation import Situation
from genpulse.testing.subject import Lacking, Subject


async def _check_no_key(subject: Subject) -> None:
    if subject.key is None:
        raise Lacking("the vendor needs no key")
    provider = subject.build(ProviderSettings(None, subject.fake.base_url, subject.options))
    lacking = LoadedCatalogue([provider]).lacks(provider.name)
    need(not lacking or any("api_key" in name for name in lacking), f"it has no key, and lacks {lacking}")
    outcome = await outcome_of(subject.without_key(), Situation.BAD_KEY)
    failure = outcome.failure
    need(failure.code is FailureCode.AUTHENTICATION_FAILED, f"its code is {failure.code}: {failure.message}")
    need("API_KEY" in failure.message, f"its message does not name the setting to set: {failure.message}")


async def _check_key_stays(subject: Subject) -> None:
    outcome = await outcome_of(subject, Situation.WELL)
    seen = subject.fake.keys
    need(subject.key is None or any(subject.key in value for value in seen), "the key was not sent")
    need(subject.key is None or subject.key not in str(outcome.task), "the task shows the key")
    need(not subject.fake.leaks, f"the key went to {', '.join(subject.fake.leaks)}")


def _never_leaks(name: str, situation: Situation) -> Check:
    async def run(subject: Subject) -> None:
        if subject.key is None:
            raise Lacking("the vendor needs no key")
        await outcome_of(subject, situation, Terms(IMPATIENT))
        need(not subject.fake.leaks, f"the key went to {', '.join(subject.fake.leaks)}")

    return Check(name, run)


CHECKS = (
    Check("a missing key names the setting", _check_no_key),
    Check("the key is sent, and shown nowhere", _check_key_stays),
    _never_leaks("a result that names the vendor's own API gets no key", Situation.OWN_API_OUTPUT),
    _never_leaks("a redirect to the vendor's own API gets no key", Situation.OWN_API_REDIRECT),
)

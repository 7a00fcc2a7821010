"""Every check of the conformance kit, and what only this provider has."""

from collections.abc import AsyncIterator

import pytest
from genpulse_provider_hello import provider
from vendor import SECRET, HelloVendor

from genpulse.provider import ProviderSettings
from genpulse.testing import CHECKS, Check, Lacking, Subject, media

LACKS = {
    **dict.fromkeys((one.name.lower() for one in media.IN_THE_ANSWER), "its answers hold addresses, and no files"),
    **dict.fromkeys(("partial_output", "numbers_output"), "a greeting is one picture"),
    "flagged_output": "it marks nothing",
}


@pytest.fixture
async def vendor() -> AsyncIterator[HelloVendor]:
    vendor = HelloVendor()
    async with vendor.running():
        yield vendor


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_hello(check: Check, vendor: HelloVendor) -> None:
    options = {"webhook_secret": SECRET, "allowed_hosts": "localhost"}
    subject = Subject(provider, vendor, "hello/greeting", {"prompt": "Ada"}, options=options, lacks=LACKS)
    try:
        await check(subject)
    except Lacking as reason:
        pytest.skip(f"there is no occasion for it: {reason}")


def test_a_tone_that_nobody_knows_is_refused() -> None:
    (model,) = provider(ProviderSettings()).models
    with pytest.raises(Exception, match="does not fit the model 'greeting'"):
        model.parse({"prompt": "Ada", "tone": "rude"})

"""A picture that a caller names, and whose host is away: that is no trouble of the vendor's account."""

from collections.abc import AsyncIterator

import pytest

from genpulse.domain.errors import ProviderUnreachable
from genpulse.domain.provider_account.verdict import Verdict, verdict
from genpulse.provider import Charged, InvalidInput, OutputUnavailable, ProviderUnavailable
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost, AnswerTooLarge
from genpulse.provider.inputs import named_file

URL = "https://pictures.example/fox.png"


class Flaky:
    """An `Http` whose downloads go wrong one after the other, and then well."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def fetch_public(self, url: str, **_: object) -> AsyncIterator[bytes]:
        self.asked += 1
        yield b"half"
        if self.errors:
            raise self.errors.pop(0)
        yield b" and half"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(named_file, "AGAIN_S", (0.0, 0.0))


@pytest.mark.parametrize(
    "error", [AnswerLost("it broke"), ProviderUnavailable("503"), ProviderUnreachable("refused")]
)
async def test_a_picture_is_asked_for_three_times(error):
    http = Flaky(error, error)
    assert await Account(http, "https://vendor.example").fetch_input(URL) == b"half and half"
    assert http.asked == 3


@pytest.mark.parametrize("error", [AnswerLost("it broke"), ProviderUnreachable("refused")])
async def test_then_it_is_the_callers_to_mend_and_the_account_works(error):
    http = Flaky(error, error, error, error)
    with pytest.raises(InvalidInput, match="of the input cannot be fetched") as caught:
        await Account(http, "https://vendor.example").fetch_input(URL)
    assert caught.value.charged is Charged.NO
    assert verdict(caught.value.code) is Verdict.ANSWERED
    assert http.asked == 3


@pytest.mark.parametrize("error", [AnswerTooLarge("too large"), OutputUnavailable("gone")])
async def test_what_stays_is_asked_for_once(error):
    http = Flaky(error)
    with pytest.raises(InvalidInput):
        await Account(http, "https://vendor.example").fetch_input(URL)
    assert http.asked == 1

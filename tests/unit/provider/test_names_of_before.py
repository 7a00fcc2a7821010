"""What plug-ins imported before, and where it is now."""

import importlib
import sys

import pytest

from genpulse.provider import Callback, Input, Notice, TwoPhase
from genpulse.testing import Answer, OddAnswer


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("genpulse.wire", "genpulse.provider.http"),
        ("genpulse.vendor", "genpulse.provider.account"),
        ("genpulse.freeform", "genpulse.provider.passthrough"),
    ],
)
def test_a_module_of_before_warns_and_gives_the_same(old, new):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=new.replace(".", r"\.")):
        before = importlib.import_module(old)
    now = importlib.import_module(new)
    assert before.__all__ == now.__all__
    assert all(getattr(before, name) is getattr(now, name) for name in now.__all__)


def test_the_words_of_errors_are_found_under_their_name_of_before():
    sys.modules.pop("genpulse.provider.said", None)
    with pytest.warns(DeprecationWarning, match=r"genpulse\.provider\.error_words"):
        before = importlib.import_module("genpulse.provider.said")
    now = importlib.import_module("genpulse.provider.error_words")
    assert before.said_of is now.error_words
    assert before.Said is now.ErrorWords
    assert before.error_in is now.error_in


class Signed(TwoPhase[Input]):
    """An engine of a plug-in that was written for version 0.1."""

    async def submit(self, call):
        raise NotImplementedError

    async def poll(self, job):
        raise NotImplementedError

    async def collect(self, job):
        raise NotImplementedError

    async def cancel(self, job):
        raise NotImplementedError

    async def heeds(self, notice: Notice) -> bool:
        return notice.body == b"signed"


async def test_an_engine_that_overrides_heeds_is_still_asked():
    assert await Signed().is_authentic(Notice({}, b"signed"))
    assert not await Signed().is_authentic(Callback({}, b"anything"))


def test_the_kit_has_the_name_of_before():
    assert Answer is OddAnswer

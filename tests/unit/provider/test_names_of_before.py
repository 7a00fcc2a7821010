"""What plug-ins imported before, and where it is now."""

import importlib
import sys

import pytest


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

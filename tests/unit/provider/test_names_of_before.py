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

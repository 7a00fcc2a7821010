"""The conformance kit: what GenPulse expects of a provider, as checks that run against a fake of its vendor.

For the authors of plug-ins, ours included. Write a server that speaks the vendor's protocol (a `FakeVendor`, most
easily a `FakeServer`), say in a `Subject` how the plug-in is built, and run every check:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    async def test_my_vendor(check, subject):
        await check(subject)

A fake that names its routes in `phases` answers as oddly as vendors do without a line of its own: each `Oddity`
puts another answer in the place of its own. A check fails with an `AssertionError`. One that a vendor gives no
occasion for is named in `Subject.lacks`, with the reason, and raises `Lacking`.
"""

from genpulse.testing.checks import CHECKS, Check
from genpulse.testing.oddity import Answer, Body, OddAnswer, Oddity, Phase
from genpulse.testing.server import KEY, PNG, FakeServer, cut_json, drop
from genpulse.testing.situation import NoticeKind, Situation
from genpulse.testing.subject import FakeVendor, Lacking, Subject

__all__ = [
    "CHECKS",
    "KEY",
    "PNG",
    "Answer",
    "Body",
    "Check",
    "FakeServer",
    "FakeVendor",
    "Lacking",
    "NoticeKind",
    "OddAnswer",
    "Oddity",
    "Phase",
    "Situation",
    "Subject",
    "cut_json",
    "drop",
]

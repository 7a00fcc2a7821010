"""The sync client is what is made of the async one."""

import importlib.util
import inspect
from pathlib import Path

from genpulse_client import AsyncGenPulse, GenPulse

PACKAGE = Path(__file__).parents[3] / "packages/genpulse-client"


def test_it_is_made_anew_with_every_change():
    spec = importlib.util.spec_from_file_location("make_synchronous", PACKAGE / "make_synchronous.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    committed = {path.name: path.read_text() for path in maker.TARGET.glob("*.py")}
    assert committed == maker.made(), "run: make reference"


def test_both_take_the_same():
    def calls(client):
        return {name: member for name, member in vars(client).items() if not name.startswith("_")}

    ours, theirs = calls(GenPulse), calls(AsyncGenPulse)
    assert {name.replace("aclose", "close") for name in theirs} == set(ours)
    for name in set(ours) & set(theirs) - {"verify_webhook"}:
        assert inspect.signature(ours[name]).parameters.keys() == inspect.signature(theirs[name]).parameters.keys()
    assert all(member.__doc__ for member in (*ours.values(), *theirs.values()))

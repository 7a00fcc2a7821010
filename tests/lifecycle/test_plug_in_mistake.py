"""What a task says of a plug-in that raised what it does not declare."""

import importlib
import sys
from dataclasses import replace

import pytest

from genpulse.domain.failure import FailureCode
from genpulse.lifecycle.attempt.plug_in_mistake import LONGEST, described_mistake
from genpulse.providers.sandbox.noop import Noop

FILMS = """
class Broken(Exception):
    def __str__(self):
        raise RuntimeError("no words")

class Films:
    def run(self, shot):
        return shot()
"""
SHOTS = """
import json
from acme_films import Broken

def short():
    return {}["reel"]

def deep():
    return json.loads("{")

def odd():
    raise Broken

def long():
    raise ValueError("x" * 10_000 + "\\n\\x00")
"""


@pytest.fixture
def acme(tmp_path):
    folder = tmp_path / "acme_films"
    folder.mkdir()
    (folder / "__init__.py").write_text(FILMS)
    (folder / "shots.py").write_text(SHOTS)
    sys.path.insert(0, str(tmp_path))
    try:
        yield importlib.import_module("acme_films").Films(), importlib.import_module("acme_films.shots")
    finally:
        sys.path.remove(str(tmp_path))
        for name in ("acme_films", "acme_films.shots"):
            sys.modules.pop(name, None)


def mistake_of(acme, shot):
    films, shots = acme
    with pytest.raises(Exception) as caught:
        films.run(getattr(shots, shot))
    return described_mistake(caught.value, films)


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        ("short", "KeyError: 'reel'; acme_films/shots.py, line 6, in short"),
        ("deep", "acme_films/shots.py, line 9, in deep"),
        ("odd", "acme_films/shots.py, line 12, in odd"),
        ("long", "acme_films/shots.py, line 15, in long"),
    ],
)
def test_the_last_line_of_the_plug_in_is_told_and_none_of_a_library(acme, shot, words):
    mistake = mistake_of(acme, shot)
    assert words in mistake
    assert len(mistake) < LONGEST + 100
    assert mistake.isprintable()


def test_a_mistake_outside_of_the_plug_in_has_no_place_in_it():
    assert described_mistake(ValueError("no frame"), object()) == "ValueError: no frame"


def test_our_own_plug_ins_are_told_apart_from_the_rest_of_the_product():
    with pytest.raises(AttributeError) as caught:
        Noop().run(None, None).send(None)
    assert "sandbox/noop.py, line " in described_mistake(caught.value, Noop())


@pytest.mark.parametrize(
    ("shown", "words"), [(True, "(KeyError: 'reel'; tests/lifecycle/conftest.py, line "), (False, "(KeyError).")]
)
async def test_the_environment_decides_whether_a_task_tells_it(world, shown, words):
    facts = replace(world.services.environment, shows_provider_errors=shown)
    world.services = replace(world.services, environment=facts)
    world.painter.errors = [KeyError("reel")]
    async with world.worker():
        failed = await world.ended(await world.submit("art/painter"))
    assert failed.error.code is FailureCode.INTERNAL
    assert words in failed.error.message

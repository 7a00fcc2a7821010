"""Where the code of plug-ins lies that somebody writes here, and what is watched of it."""

import asyncio
import sys
from importlib.metadata import EntryPoint

import pytest

from genpulse.dev.processes.code_changes import changes
from genpulse.dev.processes.plug_in_code import PlugInCode, plug_in_code


def entries(*values):
    return [EntryPoint(f"one{number}", value, "genpulse.providers") for number, value in enumerate(values)]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src/acme_films/deep").mkdir(parents=True)
    (tmp_path / "src/acme_films/__init__.py").write_text("raise RuntimeError('it was imported')")
    (tmp_path / "lonely_shout.py").write_text("raise RuntimeError('it was imported')")
    paths = [str(tmp_path), str(tmp_path / "src")]
    sys.path += paths
    yield tmp_path
    for path in paths:
        sys.path.remove(path)


def test_a_package_counts_whole_and_a_module_with_those_beside_it(project):
    code = plug_in_code((), entries("acme_films.deep:provider", "acme_films:other", "lonely_shout:provider"))
    assert code == PlugInCode((project / "src/acme_films",), (project,))
    assert not {"acme_films", "lonely_shout"} & set(sys.modules)


def test_copies_ours_and_what_is_gone_do_not_count():
    gone = ("no_such_package:x", "pydantic:x", "json.decoder:x", "sys:x", "genpulse.providers.fal:provider")
    assert plug_in_code((), entries(*gone)) == PlugInCode()


async def test_beside_a_module_only_its_own_folder_is_watched(tmp_path):
    (tmp_path / ".venv/lib").mkdir(parents=True)
    told = changes([tmp_path], is_deep=False)
    first = asyncio.ensure_future(anext(told))
    number = 0
    async with asyncio.timeout(60):
        while not first.done():
            number += 1
            (tmp_path / ".venv/lib/deep.py").write_text(str(number))
            (tmp_path / "shout.py").write_text(str(number))
            await asyncio.sleep(0.05)
    assert await first == "shout.py"
    await told.aclose()

"""The client for TypeScript and JavaScript: its own tests against the API, and the pages about it."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Sketch
from tests.node import node

ROOT = Path(__file__).parents[4]
PACKAGE = ROOT / "packages/client-typescript"
PAGES = [ROOT / "docs/how-to/use-from-typescript.md", PACKAGE / "README.md"]
MODELS = ("art/easel", "sandbox/image")


@pytest.fixture
def catalogue_of():
    """The models that its tests and the pages ask for."""
    names = [model.split("/") for model in MODELS]
    return lambda easel: LoadedCatalogue(
        [Provider(provider, (Model(name, ("text-to-image",), Sketch, easel),)) for provider, name in names]
    )


async def ran(*command, cwd, url):
    """What it said, once it has ended well."""
    process = await asyncio.create_subprocess_exec(
        *(str(word) for word in command),
        cwd=cwd,
        env={"PATH": os.defpath, "GENPULSE_URL": url, "WEBHOOK_SECRET": "a secret"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_its_own_tests_pass(api):
    async with api.worker():
        said = await ran(node(), "--test", *sorted(PACKAGE.glob("test/*.test.js")), cwd=PACKAGE, url=api.url)
    assert re.search(r"^. skipped 0$", said, re.MULTILINE), said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_a_page_runs(api, page, tmp_path):
    blocks = re.findall(r"```javascript\n(.*?)```", page.read_text(), re.DOTALL)
    (tmp_path / "page.mjs").write_text("\n".join(blocks).replace("http://127.0.0.1:8000", api.url))
    scope = tmp_path / "node_modules/@genpulse"
    scope.mkdir(parents=True)
    (scope / "client").symlink_to(PACKAGE)
    async with api.worker():
        await ran(node(), "page.mjs", cwd=tmp_path, url=api.url)
    assert (tmp_path / "fox.png").read_text() == "drawing of a red fox at dawn"

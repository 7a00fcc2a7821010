"""The page about the client: what it shows runs, from its top to its end."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Sketch
from tests.node import node

ROOT = Path(__file__).parents[4]
QUICKSTART = ROOT / "docs/quickstart.md"
PAGES = [
    ROOT / "docs/how-to/use-from-python.md",
    ROOT / "packages/genpulse-client/README.md",
    ROOT / "README.md",
    QUICKSTART,
]
DRAWN = "drawing of a red fox at dawn"


@pytest.fixture
def catalogue_of():
    """The model that the page asks for."""
    return lambda easel: LoadedCatalogue(
        [Provider("sandbox", (Model("image", ("text-to-image",), Sketch, easel),))]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_a_page_runs(api, page, tmp_path):
    program = code(page, "python", api.url)
    await ran(api, tmp_path, sys.executable, "-W", "error", "-c", program)
    assert (tmp_path / "fox.png").read_text() == DRAWN


async def test_the_quickstart_runs_in_javascript(api, tmp_path):
    scope = tmp_path / "node_modules/@genpulse"
    scope.mkdir(parents=True)
    (scope / "client").symlink_to(ROOT / "packages/client-typescript")
    (tmp_path / "page.mjs").write_text(code(QUICKSTART, "javascript", api.url))
    await ran(api, tmp_path, node(), "page.mjs")
    assert (tmp_path / "fox.png").read_text() == DRAWN


def code(page, language, url):
    """All blocks of a page in a language, as one program."""
    blocks = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    return "\n".join(blocks).replace("http://127.0.0.1:8000", url)


async def ran(api, folder, *command):
    """Run a program beside a worker, and see it end well."""
    path = f"{ROOT / 'packages/genpulse-client'}"
    async with api.worker():
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={"PYTHONPATH": path, "GENPULSE_URL": api.url, "WEBHOOK_SECRET": "a secret"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()

"""The page about the client: what it shows runs, from its top to its end."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Sketch

ROOT = Path(__file__).parents[4]
PAGES = [ROOT / "docs/how-to/use-from-python.md", ROOT / "packages/genpulse-client/README.md", ROOT / "README.md"]


@pytest.fixture
def catalogue_of():
    """The model that the page asks for."""
    return lambda easel: LoadedCatalogue(
        [Provider("sandbox", (Model("image", ("text-to-image",), Sketch, easel),))]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_a_page_runs(api, page, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    program = "\n".join(blocks).replace("http://127.0.0.1:8000", api.url)
    path = f"{ROOT / 'packages/genpulse-client'}"
    async with api.worker():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", program),
            cwd=tmp_path,
            env={"PYTHONPATH": path, "GENPULSE_URL": api.url, "WEBHOOK_SECRET": "a secret"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert (tmp_path / "fox.png").read_text() == "drawing of a red fox at dawn"

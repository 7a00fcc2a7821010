"""The page about the client: what it shows runs, from its top to its end."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from genpulse.provider import ImageRef, Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Sketch
from tests.integration.api.test_signed_uploads import PNG
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


class Restyle(Sketch):
    """What the easel draws of a picture."""

    image: ImageRef


@pytest.fixture
def catalogue_of():
    """The models that the pages ask for."""

    def make(easel):
        restyle = Model("restyle", ("image-to-image",), Restyle, easel)
        return LoadedCatalogue([Provider("sandbox", (Model("image", ("text-to-image",), Sketch, easel), restyle))])

    return make


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_a_page_runs(api, page, tmp_path):
    program = code(page, "python", api.url)
    await ran(api, tmp_path, sys.executable, "-W", "error", "-c", program)
    assert (tmp_path / "fox.png").read_text() == DRAWN


async def test_the_quickstart_runs_in_javascript(api, tmp_path):
    await ran_in_node(api, tmp_path, code(QUICKSTART, "javascript", api.url))
    assert (tmp_path / "fox.png").read_text() == DRAWN


async def test_a_page_brings_a_file_as_the_page_about_browsers_says(api, tmp_path):
    """With the part that is on the server, and a file that somebody has chosen."""
    page = ROOT / "docs/how-to/call-from-a-browser.md"
    chosen = f"const input = {{ files: [new Blob([Buffer.from('{PNG.hex()}', 'hex')])] }}, preview = {{}};"
    told = "console.log(task.input.image === `asset:${asset.id}`, preview.src === asset.url, task.status);"
    program = "\n".join([chosen, code(page, "javascript", api.url, "Let the page bring a file"), told])
    assert await ran_in_node(api, tmp_path, program) == "true true succeeded\n"


EVENT_SOURCE = """
const field = { value: "a red fox at dawn" }, image = {};
globalThis.EventSource = class {
  constructor(url) { this.text = fetch(url).then((answer) => answer.text()); }
  addEventListener(name, listener) {
    this.text = this.text.then((text) => {
      const found = text.split("\\n\\n").find((event) => event.includes(`event: ${name}\\n`));
      listener({ data: found.match(/^data: (.*)$/m)[1] });
    });
  }
};
"""
"""What a page has and Node has not, as far as it matters here."""


async def test_a_page_submits_as_the_page_about_browsers_says(api, tmp_path):
    page = ROOT / "docs/how-to/call-from-a-browser.md"
    program = code(page, "javascript", api.url, "Let the page submit").replace("https://media.example", api.url)
    told = (
        "await events.text; console.log(task.metadata.customer, task.input.width, image.src.includes('/assets/'));"
    )
    assert await ran_in_node(api, tmp_path, "\n".join([EVENT_SOURCE, program, told])) == "u-17 512 true\n"


async def ran_in_node(api, folder, program):
    """Run it with the client where npm would put it."""
    scope = folder / "node_modules/@genpulse"
    scope.mkdir(parents=True)
    (scope / "client").symlink_to(ROOT / "packages/client-typescript")
    (folder / "page.mjs").write_text(program)
    return await ran(api, folder, node(), "page.mjs")


def code(page, language, url, heading=None):
    """All blocks of a page in a language, or of what stands under a heading, as one program that imports once."""
    text = page.read_text()
    if heading is not None:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = "\n".join(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)).splitlines()
    imports = dict.fromkeys(line for line in lines if line.startswith("import {"))
    rest = [line for line in lines if line not in imports]
    return "\n".join([*imports, *rest]).replace("http://127.0.0.1:8000", url)


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
    return said.decode()

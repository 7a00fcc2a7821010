"""Every piece of code of the how-to: copied from there, and run."""

import asyncio
import base64
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from typing import Annotated, Any
from uuid import uuid4

import pytest
from aiohttp import web

import genpulse.provider
import genpulse.provider.job_id
import genpulse.provider.status_words
from genpulse.provider import (
    Call,
    EngineThreads,
    Input,
    InvalidInput,
    Model,
    Provider,
    ProviderSettings,
)
from genpulse.provider.account import Account
from genpulse.provider.http import Part
from genpulse.testing import CHECKS, Situation
from genpulse.testing.server import PNG
from tests.acceptance.snippets import Page, run, understood
from tests.integration.providers.scripted import DataFiles, Scripted, Told

PAGE = Page("how-to/write-a-provider.md")
PIECES = (
    "class Shout",
    "class Films",
    "call.in_thread",
    "class Speak",
    "account = Account",
    "class Clip",
    "async def test_it_shouts",
    "class MyFake",
)
"""Words of each block in Python, for each of which there is a test here; for `Speak` in `test_add_a_model`."""


JOBS = ("a task from submit to our own storage", "a job that fails", "a fresh process goes on with the job")
"""Checks of the kit for which the page's vendor has occasions."""


def block(language: str) -> str:
    """The first block of code in this language."""
    return PAGE.blocks(language)[0]


def names() -> dict[str, Any]:
    """What stands above a piece of the page."""
    modules = (genpulse.provider, genpulse.provider.job_id, genpulse.provider.status_words)
    found = {name: value for module in modules for name, value in vars(module).items() if not name.startswith("_")}
    return {**found, "Account": Account, "Part": Part, "uuid4": uuid4, "pytest": pytest}


class FilmInput(Input):
    prompt: str


class Handlers:
    """The vendor of the page's films, for the kit."""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/jobs", self.submit)
        app.router.add_get("/jobs/{id}", self.status)
        app.router.add_get("/jobs/{id}/film", self.result)
        app.router.add_post("/jobs/{id}/cancel", self.stop)

    async def submit(self, request: web.Request) -> web.Response:
        assert (await request.json())["prompt"] == "a fox"
        return web.json_response({"id": self.named(uuid4().hex)})

    async def status(self, request: web.Request) -> web.Response:
        if self.situation is Situation.JOB_FAILED:
            return web.json_response({"status": "failed", "error": "no film in the camera"})
        going_on = self.situation is Situation.SLOW or self.times(request.match_info["id"], 1)
        return web.json_response({"status": "shooting" if going_on else "done"})

    async def result(self, request: web.Request) -> web.Response:
        return web.Response(body=PNG)

    async def stop(self, request: web.Request) -> web.Response:
        self.canceled += 1
        return web.Response(status=204)


@pytest.fixture
def installed(tmp_path):
    """What an installer leaves behind for the page's two files."""
    (tmp_path / "shout.py").write_text(block("python"))
    project = tomllib.loads(block("toml"))["project"]
    metadata = tmp_path / "genpulse_shout-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    for group, entries in project["entry-points"].items():
        lines = "\n".join(f"{name} = {target}" for name, target in entries.items())
        (metadata / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
    return tmp_path


def test_it_is_about_ten_lines():
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 11


def test_it_is_found_and_described(installed):
    done = subprocess.run(
        [sys.executable, "-m", "genpulse", "models", "shout/loud", "--json"],
        cwd=installed,
        env={"PATH": os.defpath, "PYTHONPATH": str(installed), "GENPULSE_API__PORT": "9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["kinds"] == ["text-to-text"]
    assert document["input_schema"]["required"] == ["text"]


def test_it_runs(installed):
    spec = importlib.util.spec_from_file_location("shout", installed / "shout.py")
    shout = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shout)
    (model,) = shout.provider(ProviderSettings()).models
    call = Call("loud", "text-to-text", model.parse({"text": "hi"}), uuid4(), "gp-1", 1)
    result = asyncio.run(model.engine.run(call, lambda fraction, message=None: None))
    assert result.outputs[0].content == b"HI"


def test_each_piece_of_code_is_tried_here():
    assert [words for one in PAGE.blocks("python") for words in PIECES if words in one] == list(PIECES)
    assert len(PAGE.blocks("python")) == len(PIECES)


@pytest.mark.parametrize("words", PAGE.commands(), ids=" ".join)
def test_each_command_is_one(words):
    assert understood(words)


async def test_the_test_of_the_page_passes():
    known = await run(block("python"), names())
    await run(PAGE.block("async def test_it_shouts"), known)
    await known["test_it_shouts"]()


async def test_heavy_work_in_a_thread_runs():
    class Words(Input):
        text: str

    known = await run(
        PAGE.block("call.in_thread"), {**names(), "Words": Words, "paint": lambda text, _: text.encode()}
    )
    threads = EngineThreads()
    call = Call("m", "noop", Words(text="hi"), uuid4(), "reference", attempt=1, threads=threads)
    result = await known["run"](None, call, lambda fraction, message=None: None)
    assert result.outputs[0].content == b"hi"


async def test_a_field_that_takes_a_file_is_given_one():
    known = await run(PAGE.block("class Clip"), {**names(), "Annotated": Annotated})
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    call = Call("m", "any", known["Clip"](image=uri), uuid4(), "reference", 1, attachments=DataFiles())
    assert (await known["Animate"]().generate(call)).outputs[0].content == PNG
    assert known["Clip"].model_json_schema()["properties"]["image"]["x-media"] == ["image"]


@pytest.mark.parametrize("check", [check for check in CHECKS if check.name in JOBS], ids=lambda check: check.name)
async def test_a_vendor_with_jobs_and_the_test_of_it_run(check):
    known = await run(PAGE.block("class Films"), {**names(), "FilmInput": FilmInput})

    class Films(known["Films"]):
        def __init__(self, account: Account) -> None:
            self._account = account

    def provider(settings: ProviderSettings) -> Provider:
        key = {"Authorization": f"Bearer {settings.api_key}"}
        account = Account(settings.http, settings.base_url, key, lambda _: None)
        return Provider("myvendor", (Model("fast", ("text-to-image",), FilmInput, Films(account)),))

    lacks = {situation.name.lower(): "the films of a page" for situation in Situation}
    for one in ("job_failed", "slow", "well"):
        del lacks[one]
    known = await run(PAGE.block("class MyFake"), {**names(), "provider": provider, "LACKS": lacks})
    known["MyFake"] = type("WholeFake", (Handlers, known["MyFake"]), {})
    await known["test_my_vendor"](check)


async def test_an_account_is_talked_to_as_the_page_says(tmp_path):
    scripted = Scripted()
    scripted.answer = lambda asked: Told({"id": "1"})
    path = tmp_path / "fox.png"
    path.write_bytes(PNG)
    async with scripted.running():
        settings = ProviderSettings("key", scripted.base_url, {}, scripted.http)
        code = PAGE.block("account = Account").replace("https://api.vendor.example", scripted.base_url)
        job = type("Job", (), {"id": "a#b"})
        given = {"settings": settings, "explain": lambda _: None, "path": path, "job": job}
        known = {**names(), **given, "url": f"{scripted.base_url}/film.mp4"}
        # The last line: what a caller names is fetched over https alone.
        with pytest.raises(InvalidInput, match="is not https"):
            await run(code, known)
    asked = [(one.method, one.path) for one in scripted.asked]
    assert ("POST", "/jobs") in asked
    assert ("GET", "/jobs/a%23b") in asked
    assert {one.headers.get("Authorization") for one in scripted.asked} == {"Bearer key"}

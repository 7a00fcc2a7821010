"""A ComfyUI beside the stack, with a small program in place of ComfyUI's main.py."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import sys
from pathlib import Path

import psutil
import pytest

from genpulse.dev.errors import FolderRefused
from genpulse.dev.plan import ComfyUIPlan
from genpulse.dev.processes.ports import LOOPBACK, is_free
from genpulse.dev.processes.stack_processes import members
from genpulse.dev.servers.comfyui import PORT, ComfyUI
from genpulse.dev.stack import running_stack
from tests.integration.dev.test_stack import PromptMessages, children_named, fetched, home, named, plan

__all__ = ["home", "named", "plan"]

MAIN = """
import http.server, json, os, sys
if os.path.exists("broken"):
    sys.exit("no module named torch")
json.dump([sys.argv, dict(os.environ)], open("started", "w"))
class Queue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Queue).serve_forever()
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ComfyUI"
    folder.mkdir()
    (folder / "main.py").write_text(MAIN)
    return folder


def wanted(folder):
    return ComfyUIPlan(folder, Path(sys.executable), "--cpu --preview-method 'none'")


async def heard_of(heard, words):
    async with asyncio.timeout(60):
        while not any(words in line for _, line in heard):
            await asyncio.sleep(0.02)


async def test_it_is_started_beside_the_stack_and_ends_with_it(plan, named, folder):
    heard = PromptMessages()
    environment = {**os.environ, "GENPULSE_API_KEY": "gp_dev_secret", "PLAIN": "yes"}
    async with running_stack(plan(**named, comfyui=wanted(folder), environment=environment), heard) as stack:
        watching = asyncio.create_task(stack.watch_over())
        await heard_of(heard, "comfyui is ready")
        arguments, seen = json.loads((folder / "started").read_text())
        port = arguments[arguments.index("--port") + 1]
        assert fetched(f"http://{LOOPBACK}:{port}/queue") == b"{}"
        assert arguments[-3:] == ["--cpu", "--preview-method", "none"]
        assert seen["PLAIN"] == "yes"
        assert not [name for name in seen if name.startswith("GENPULSE_")], "its nodes are other people's code"
        (api,) = children_named("api")
        assert api.environ()["GENPULSE_PROVIDERS__COMFYUI__BASE_URL"] == f"http://{LOOPBACK}:{port}"
        (running,) = [member for member in members(os.getpid()) if member.name == "comfyui"]
        watching.cancel()
    assert not psutil.pid_exists(running.pid)


async def test_the_stack_goes_on_without_one_that_does_not_start(plan, named, folder):
    heard = PromptMessages()
    (folder / "broken").touch()
    async with running_stack(plan(**named, comfyui=wanted(folder)), heard) as stack:
        watching = asyncio.create_task(stack.watch_over())
        await heard_of(heard, "no module named torch")
        await heard_of(heard, "the stack goes on without comfyui")
        assert fetched(stack.api_url + "/readyz") == b"api"
        watching.cancel()


async def test_a_folder_without_comfyui_is_refused_before_anything_starts(plan, named, tmp_path):
    with pytest.raises(FolderRefused, match=r"main\.py is missing.*options\.folder"):
        async with running_stack(plan(**named, comfyui=ComfyUIPlan(tmp_path)), PromptMessages()):
            pass
    assert not (tmp_path / "order").exists()


def test_its_own_virtual_environment_runs_it(folder):
    python = folder / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    laid = ComfyUI.lay_out(ComfyUIPlan(folder))
    assert laid.python == python
    assert ComfyUI.lay_out(wanted(folder)).python == Path(sys.executable)
    with pytest.raises(FolderRefused, match=r"no Python at .*options\.python"):
        ComfyUI.lay_out(ComfyUIPlan(folder, folder / "nowhere"))


def test_it_answers_elsewhere_when_somebody_listens_where_comfyui_does(folder):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            taken.bind((LOOPBACK, PORT))
            taken.listen()
        port = ComfyUI.lay_out(wanted(folder)).port
    assert port != PORT
    assert is_free(port)

"""Many files of 20 kB, each fetched by its address, beside nginx on the same folder."""

import json
import os
import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import CLIENTS, Stack, address_of
from genpulse.dev.processes.ports import LOOPBACK, free_port

FILES = 256
SIZE = 20_000
_BOUNDARY = "bench"
_MISSING = "nginx is not on this machine, so that there is nothing beside it: apt-get install nginx-light."
_LEAN = [sys.executable, "-m", "bench.peers.lean_files"]
_NOTE = (
    "nginx opens a file by its name and sends it (sendfile). We ask the database whose it is, read it, compare it"
    " with its digest, and send it with the headers that keep a browser from running it. The lean program is one"
    " route without a framework on the same server, which reads a file by its name and sends it."
)
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen {address};
        root {folder};
    }}
}}
"""
"""One process, since one of ours serves."""


def measure(stack: Stack) -> Result:
    """Each connection goes through all files."""
    title = f"fetch files of {SIZE // 1000} kB, {CLIENTS} connections"
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    with stack.api() as (url,):
        assets = [_upload(url) for _ in range(FILES)]
        lean = [*_LEAN, str(stack.home / "storage")]
        ours = _fetching(stack, [asset["url"] for asset in assets])
        if program is None:
            series = taking_turns({"GenPulse": ours}, stack.size.rounds)
            return Result(title, series, (), _MISSING)
        with _nginx(stack, program) as peer_url, stack.process("lean", lean, "Uvicorn running") as least:
            places = {"lean program": address_of(least), "nginx": peer_url}
            peers = {
                name: _fetching(stack, [f"{place}/{file}" for file in _names(stack)])
                for name, place in places.items()
            }
            series = taking_turns({"GenPulse": ours, **peers}, stack.size.rounds)
    fetched, lean_ones, floor = series
    goals = (
        Goal("of nginx", ratio(fetched, floor), 0.5),
        Goal("of the lean program", ratio(fetched, lean_ones), None),
        Goal("the lean program, of nginx", ratio(lean_ones, floor), None),
    )
    return Result(title, series, goals, _NOTE)


def _fetching(stack: Stack, urls: list[str]) -> Callable[[], float]:
    def fetch() -> float:
        found = stack.load(
            "http", *urls, "--connections", str(CLIENTS), "--seconds", str(stack.size.seconds), "--spread"
        )
        return found["per_second"]

    return fetch


def _upload(url: str) -> dict[str, str]:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head.encode() + os.urandom(SIZE) + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/uploads", body, headers)) as answer:
        kept: dict[str, str] = json.load(answer)
        return kept


def _names(stack: Stack) -> list[str]:
    folder = stack.home / "storage"
    return [str(path.relative_to(folder)) for path in folder.glob("assets/**/*") if path.is_file()]


@contextmanager
def _nginx(stack: Stack, program: str) -> Iterator[str]:
    home, address = stack.home / "nginx", f"{LOOPBACK}:{free_port()}"
    home.mkdir()
    words = _CONFIGURATION.format(home=home, address=address, folder=stack.home / "storage")
    (home / "nginx.conf").write_text(words)
    # As root it would serve as a user who may not look into the folder.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    command = [program, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr", *user]
    with stack.process("nginx", command, "start worker process"):
        yield f"http://{address}"

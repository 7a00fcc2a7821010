"""The forge's doors: GitHub's REST of pull requests on a socket, and git over the protocol of SSH."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.integration.branching.fake_forge.forge import FakeForge, NotTaken

TOKEN = "t0k3n"


class Api(ThreadingHTTPServer):
    """Speaks `GET` and `POST /repos/{owner}/{name}/pulls` for one forge."""

    daemon_threads = True

    def __init__(self, forge: FakeForge) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forge = forge

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def answering(self) -> Iterator["Api"]:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        forge, key = self.server.forge, (document["head"], document["base"])
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Bad credentials"})
        elif any(one.open and (one.head, one.base) == key for one in forge.requests.values()):
            message = f"A pull request already exists for o:{document['head']}."
            self._answer(422, {"message": "Validation Failed", "errors": [{"message": message}]})
        else:
            self._open(forge, document)

    def do_GET(self):
        wanted = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        key = (wanted["head"].removeprefix("o:"), wanted["base"])
        requests = self.server.forge.requests.values()
        self._answer(200, [_page(one) for one in requests if one.open and (one.head, one.base) == key])

    def log_message(self, *_arguments):
        """Say nothing."""

    def _open(self, forge, document):
        try:
            request = forge.open(document["head"], document["base"], document["title"], document["body"])
        except NotTaken as error:
            self._answer(422, {"message": str(error)})
        else:
            self._answer(201, _page(request))

    def _answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _page(request):
    return {"html_url": f"https://github.com/o/r/pull/{request.number}", "number": request.number}


def over_ssh(bare: Path) -> str:
    """A program for GIT_SSH_COMMAND that answers for every host with this repository."""
    path = bare.parent / "ssh"
    script = f"""#!/bin/sh
for last; do :; done
[ "$1" = -G ] && exit 1
eval "set -- $last"
exec "$1" {bare}
"""
    path.write_text(script)
    path.chmod(0o755)
    return os.fspath(path)

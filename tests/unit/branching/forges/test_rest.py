"""Questions to a real server on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.rest import RestResponse, send_request

TOKEN = "t0k3n"


class Handler(BaseHTTPRequestHandler):
    """Answers by the path: `/moved` and `/away` point elsewhere, `/cut` and `/noise` break off."""

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        said = json.loads(self.rfile.read(size)) if size else None
        self.server.seen.append((self.command, self.path, self.headers["Authorization"], said))
        if self.path == "/noise":
            self.wfile.write(b"what?\r\n\r\n")
        elif self.path == "/cut":
            self.answer(200, b"{", size=100)
        elif self.path in self.server.moves:
            self.answer(307, b"", location=self.server.moves[self.path])
        else:
            self.answer(200, b'{"path": "%s"}' % self.path.encode())

    def do_GET(self):
        self.do_POST()

    def answer(self, status, body, *, size=None, location=""):
        self.send_response(status)
        self.send_header("Content-Length", str(size or len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    server.seen = []
    server.moves = {
        "/moved": "/new",
        "/circle": "/circle",
        "/away": f"http://localhost:{server.server_address[1]}/x",
    }
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_move_on_the_same_host_is_followed_with_the_same_question(server):
    assert send_request(f"{server.url}/moved", TOKEN, {"a": "b"}) == RestResponse(200, {"path": "/new"})
    assert server.seen == [("POST", f"/{path}", f"Bearer {TOKEN}", {"a": "b"}) for path in ("moved", "new")]


def test_a_token_is_never_taken_to_another_host(server):
    answer = send_request(f"{server.url}/away", TOKEN)
    assert (answer.status, answer.location) == (307, server.moves["/away"])
    assert [path for _, path, _, _ in server.seen] == ["/away"]


def test_a_circle_ends(server):
    assert send_request(f"{server.url}/circle", TOKEN).status == 307
    assert len(server.seen) == 4


@pytest.mark.parametrize("path", ["/noise", "/cut"])
def test_an_answer_that_breaks_off(server, path):
    with pytest.raises(ForgeError, match="does not answer"):
        send_request(f"{server.url}{path}", TOKEN)


@pytest.mark.parametrize("url", ["nonsense", "file:///etc/passwd", "ftp://host/x", "http:///x"])
def test_an_address_that_cannot_be_asked(url):
    with pytest.raises(ForgeError, match="is no address to ask") as caught:
        send_request(url, TOKEN)
    assert "GITHUB_API_URL" in caught.value.note


@pytest.mark.parametrize("token", ["s3cret\nX-Other: 1", "s3crét", "s3cret\x00"])
def test_a_token_that_is_none_is_not_shown(token):
    with pytest.raises(ForgeError, match="no token has") as caught:
        send_request("http://127.0.0.1:1/", token)
    assert "s3cr" not in str(caught.value)
    assert caught.value.__cause__ is None

"""Opening pull requests on forges that speak the real protocols."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from genpulse.branching.forges import ForgeError, PullRequest, open_pull_request
from genpulse.branching.forges.address import Address, address_of
from genpulse.branching.git import Git
from tests.integration.branching.conftest import ENVIRONMENT

TOKEN = "t0k3n"


class Forge(ThreadingHTTPServer):
    """Speaks GitHub's API of pull requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.open = {}
        self.asked = []
        self.refuses = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, document))
        key = (document["head"], document["base"])
        if self.server.refuses:
            self.answer(*self.server.refuses)
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(401, {"message": "Bad credentials"})
        elif key in self.server.open:
            message = f"A pull request already exists for o:{document['head']}."
            self.answer(422, {"message": "Validation Failed", "errors": [{"message": message}]})
        else:
            self.server.open[key] = {"html_url": f"https://github.com/o/r/pull/{len(self.server.open) + 1}"}
            self.answer(201, self.server.open[key])

    def do_GET(self):
        self.server.asked.append((self.path, None))
        self.answer(200, list(self.server.open.values()))

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def forge():
    server = Forge()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def named(clone, url):
    """The clone thinks that its remote is at `url`, and still pushes into its own."""
    clone.git("remote", "set-url", "origin", url)
    clone.git("remote", "set-url", "--push", "origin", str(clone.bare))


def opened(clone, head="feature/x", base="dev", **environment):
    commit = clone.git("rev-parse", "HEAD")
    return open_pull_request(
        clone.folder, "origin", head, commit, base, "Title", "Body", environment={**ENVIRONMENT, **environment}
    )


def program(folder, name, script):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{ENVIRONMENT['PATH']}"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/o/r.git", Address("github", "github.com", "o/r")),
        ("https://me:secret@github.com/o/r", Address("github", "github.com", "o/r")),
        ("git@github.com:o/r.git", Address("github", "github.com", "o/r")),
        ("ssh://git@github.example.com:2222/o/r.git", Address("github", "github.example.com", "o/r")),
        ("https://gitlab.com/group/sub/r.git", Address("gitlab", "gitlab.com", "group/sub/r")),
        ("https://gitlab.example.com:8443/g/r", Address("gitlab", "gitlab.example.com:8443", "g/r")),
        ("git@code.example.com:g/r.git", Address("other", "code.example.com", "g/r")),
        ("/srv/git/r.git", None),
        ("file:///srv/git/r.git", None),
        ("../r.git", None),
    ],
)
def test_which_forge_an_address_means(clone, url, address):
    clone.git("remote", "set-url", "origin", url)
    assert address_of(Git(clone.folder, ENVIRONMENT), "origin") == address


def test_a_host_of_another_name_is_configured(clone):
    clone.git("remote", "set-url", "origin", "https://code.example.com/o/r")
    clone.git("config", "flow.forge", "gitlab")
    assert address_of(Git(clone.folder, ENVIRONMENT), "origin").kind == "gitlab"


def test_a_folder_is_no_forge(clone):
    assert opened(clone) == PullRequest("", opened=False)
    assert clone.git("ls-remote", "origin", "refs/heads/feature/x")


def test_github_by_its_api_and_never_twice(clone, forge):
    named(clone, "git@github.com:o/r.git")
    first = opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url)
    assert first == PullRequest("https://github.com/o/r/pull/1", opened=True)
    path, document = forge.asked[0]
    assert (path, document) == (
        "/repos/o/r/pulls",
        {"title": "Title", "head": "feature/x", "base": "dev", "body": "Body"},
    )
    assert opened(clone, GH_TOKEN=TOKEN, GITHUB_API_URL=forge.url) == first
    assert len(forge.open) == 1


@pytest.mark.parametrize(
    ("status", "words"), [(401, "right to write"), (403, "right to write"), (422, "by hand"), (500, "by hand")]
)
def test_github_says_no(clone, forge, status, words):
    named(clone, "https://github.com/o/r")
    forge.refuses = (status, {"message": "No."})
    with pytest.raises(ForgeError, match=f"GitHub answered {status}: No") as caught:
        opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url)
    assert words in caught.value.mend
    assert TOKEN not in str(caught.value)


def test_github_does_not_answer(clone):
    named(clone, "https://github.com/o/r")
    with pytest.raises(ForgeError, match="does not answer"):
        opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL="http://127.0.0.1:1")


def test_github_by_gh_when_it_is_installed(clone, tmp_path):
    named(clone, "https://github.com/o/r")
    path = program(
        tmp_path / "bin", "gh", f'printf "%s\\n" "$@" > {tmp_path}/said\necho https://github.com/o/r/pull/3'
    )
    assert opened(clone, head="feature/-x", PATH=path).url == "https://github.com/o/r/pull/3"
    assert (tmp_path / "said").read_text().splitlines() == [
        "pr",
        "create",
        "--repo=o/r",
        "--head=feature/-x",
        "--base=dev",
        "--title=Title",
        "--body=Body",
    ]


def test_gh_finds_the_one_that_is_open(clone, tmp_path):
    named(clone, "https://github.com/o/r")
    script = 'echo "a pull request for branch already exists:" >&2\necho https://github.com/o/r/pull/3 >&2\nexit 1'
    path = program(tmp_path / "bin", "gh", script)
    assert opened(clone, PATH=path) == PullRequest("https://github.com/o/r/pull/3", opened=True)


def test_gh_is_not_signed_in(clone, tmp_path):
    named(clone, "https://github.com/o/r")
    path = program(tmp_path / "bin", "gh", 'echo "To get started with GitHub CLI, run: gh auth login" >&2\nexit 4')
    with pytest.raises(ForgeError, match="gh said: To get started"):
        opened(clone, PATH=path)


def test_without_any_of_it_the_address_is_given(clone):
    named(clone, "https://github.com/o/r")
    url = "https://github.com/o/r/compare/dev...feature/x?expand=1"
    assert opened(clone) == PullRequest(url, opened=False)


def test_gitlab_by_its_push_options(clone, tmp_path):
    named(clone, "https://gitlab.com/g/r")
    subprocess.run(["git", "config", "receive.advertisePushOptions", "true"], cwd=clone.bare, check=True)
    hook = clone.bare / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION | sort > {tmp_path}/options\n"
        'echo "View merge request for feature/x:"\necho "  https://gitlab.com/g/r/-/merge_requests/5"\n'
    )
    hook.chmod(0o755)
    clone.commit("x.txt", "text")
    assert opened(clone) == PullRequest("https://gitlab.com/g/r/-/merge_requests/5", opened=True)
    assert (tmp_path / "options").read_text().splitlines() == [
        "GIT_PUSH_OPTION_0=merge_request.create",
        "GIT_PUSH_OPTION_1=merge_request.target=dev",
        "GIT_PUSH_OPTION_2=merge_request.title=Title",
        "GIT_PUSH_OPTION_COUNT=3",
    ]
    again = opened(clone)
    assert again.opened is False
    assert "merge_request[target_branch]=dev" in again.url


def test_gitlab_that_does_not_take_options(clone):
    named(clone, "https://gitlab.com/g/r")
    clone.commit("x.txt", "text")
    with pytest.raises(ForgeError, match="did not take the push"):
        opened(clone)


def test_gitlab_by_glab_when_it_is_installed(clone, tmp_path):
    named(clone, "https://gitlab.com/g/r")
    path = program(tmp_path / "bin", "glab", "echo https://gitlab.com/g/r/-/merge_requests/9")
    assert opened(clone, PATH=path) == PullRequest("https://gitlab.com/g/r/-/merge_requests/9", opened=True)


def test_the_hook_keeps_hands_off_the_lanes(clone):
    from genpulse.branching.files import plan, write

    write(clone.folder, plan(clone.folder, "github"))
    clone.git("switch", "--quiet", "--create", "work", "origin/dev")
    clone.commit("x.txt", "text")
    refused = subprocess.run(
        ["git", "push", "origin", "HEAD:dev"],
        cwd=clone.folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert "dev is a lane: nothing is pushed to it by hand" in refused.stderr
    clone.git("push", "origin", "HEAD:dev", FLOW_AT_WORK="1")

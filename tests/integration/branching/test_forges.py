"""Opening pull requests on forges that speak the real protocols."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from genpulse.branching.errors import GitFailed, RepositoryUnfit
from genpulse.branching.files import plan, write
from genpulse.branching.forges import ForgeError, PullRequest, PullRequestDraft, open_pull_request
from genpulse.branching.forges.address import Address, address_of
from genpulse.branching.git.process import Git
from tests.integration.branching.clones import ENVIRONMENT

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
    def answer(self, status, document, location=""):
        body = json.dumps(document).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
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
        if "/pulls?" not in self.path:
            self.answer(403, {})
            return
        self.server.asked.append((self.path, None))
        wanted = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        key = (wanted["head"].removeprefix("o:"), wanted["base"])
        self.answer(200, [self.server.open[key]] if key in self.server.open else [])

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def forge():
    server = Forge()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def named(clone, url):
    """The clone thinks that its remote is at `url`, and still pushes into its own."""
    clone.git("remote", "set-url", "origin", url)
    clone.git("remote", "set-url", "--push", "origin", str(clone.bare))


def opened(clone, head="feature/x", base="dev", *, is_lane=False, **environment):
    commit = clone.git("rev-parse", "HEAD")
    draft = PullRequestDraft("origin", head, commit, base, "Title", "- one\n- two\n", is_lane=is_lane)
    return open_pull_request(Git(clone.folder, {**ENVIRONMENT, **environment}), draft)


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
        ("git@github.com:/o/r.git/", Address("github", "github.com", "o/r")),
        ("ssh://git@ssh.github.com:443/o/r.git", Address("github", "github.com", "o/r")),
        ("git@altssh.gitlab.com:g/sub/r.git", Address("gitlab", "gitlab.com", "g/sub/r")),
        ("git@code.example.com:/srv/git/r.git", None),
        ("me@code.example.com:~/r.git", None),
        ("/srv/git/r.git", None),
        ("file:///srv/git/r.git", None),
        ("../r.git", None),
        ("./a:b/r.git", None),
    ],
)
def test_which_forge_an_address_means(clone, url, address):
    clone.git("remote", "set-url", "origin", url)
    assert address_of(Git(clone.folder, ENVIRONMENT), "origin") == address


def test_a_host_of_another_name_is_configured(clone):
    clone.git("remote", "set-url", "origin", "https://code.example.com/o/r")
    clone.git("config", "flow.forge", "gitlab")
    assert address_of(Git(clone.folder, ENVIRONMENT), "origin").kind == "gitlab"


def test_a_host_has_another_name_in_the_configuration_of_ssh(clone, tmp_path):
    clone.git("remote", "set-url", "origin", "git@work:o/r.git")
    script = f'echo "$*" > {tmp_path}/said\nprintf "user git\\nhostname github.com\\nport 22\\n"'
    path = program(tmp_path / "bin", "ssh", script)
    found = address_of(Git(clone.folder, {**ENVIRONMENT, "PATH": path}), "origin")
    assert found == Address("github", "github.com", "o/r")
    assert (tmp_path / "said").read_text() == "-G -- work\n"


def test_an_address_with_a_port_that_is_none(clone):
    clone.git("remote", "set-url", "origin", "https://github.com:many/o/r")
    with pytest.raises(RepositoryUnfit, match="the port of origin") as caught:
        address_of(Git(clone.folder, ENVIRONMENT), "origin")
    assert caught.value.note.startswith("git remote set-url origin")


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
        {"title": "Title", "head": "feature/x", "base": "dev", "body": "- one\n- two\n"},
    )
    forge.open["feature/y", "dev"] = {"html_url": "https://github.com/o/r/pull/99"}
    assert opened(clone, GH_TOKEN=TOKEN, GITHUB_API_URL=forge.url) == first
    assert len(forge.open) == 2


@pytest.mark.parametrize(
    ("status", "words"), [(401, "right to write"), (403, "right to write"), (422, "by hand"), (500, "by hand")]
)
def test_github_says_no(clone, forge, status, words):
    named(clone, "https://github.com/o/r")
    forge.refuses = (status, {"message": "No."})
    with pytest.raises(ForgeError, match=f"GitHub answered {status}: No") as caught:
        opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url)
    assert words in caught.value.note
    assert TOKEN not in str(caught.value)


def test_a_token_that_a_forge_repeats_is_not_shown(clone, forge):
    named(clone, "https://github.com/o/r")
    forge.refuses = (403, {"message": f"{TOKEN} may not.", "errors": ["no right", {"message": f"({TOKEN})"}]})
    with pytest.raises(ForgeError) as caught:
        opened(clone, GITHUB_TOKEN=f"{TOKEN}\n", GITHUB_API_URL=forge.url)
    assert caught.value.found == "GitHub answered 403: *** may not. no right (***)"


def test_a_repository_that_moved_elsewhere(clone, forge):
    named(clone, "https://github.com/o/r")
    forge.refuses = (301, {"message": "Moved Permanently"}, "https://other.example/o/r2")
    with pytest.raises(ForgeError, match="GitHub answered 301: Moved Permanently") as caught:
        opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url)
    assert "moved to https://other.example/o/r2: git remote set-url origin" in caught.value.note


@pytest.mark.parametrize("document", [{}, [], "words", None])
def test_what_answers_is_no_github(clone, forge, document):
    named(clone, "https://github.com/o/r")
    forge.refuses = (201, document)
    with pytest.raises(ForgeError, match=r"GitHub answered 201: (nothing that|without a reason)"):
        opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url)


def test_a_push_that_is_refused_tells_no_password(clone, forge):
    clone.git("remote", "set-url", "origin", forge.url.replace("//", "//me:pa55word@") + "/o/r")
    with pytest.raises(GitFailed) as caught:
        opened(clone)
    assert "pa55word" not in str(caught.value)


def test_github_does_not_answer(clone):
    named(clone, "https://github.com/o/r")
    with pytest.raises(ForgeError, match=r"127\.0\.0\.1:1 does not answer"):
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
        "--body=- one",
        "- two",
        "",
    ]


def test_gh_finds_the_one_that_is_open(clone, tmp_path):
    named(clone, "https://github.com/o/r")
    script = 'echo "a pull request for branch already exists:" >&2\necho https://github.com/o/r/pull/3 >&2\nexit 1'
    path = program(tmp_path / "bin", "gh", script)
    assert opened(clone, PATH=path) == PullRequest("https://github.com/o/r/pull/3", opened=True)


def test_gh_is_not_signed_in(clone, tmp_path):
    named(clone, "https://github.com/o/r")
    script = 'echo "To get started with GitHub CLI, run: gh auth login. Not $GH_TOKEN" >&2\nexit 4'
    path = program(tmp_path / "bin", "gh", script)
    with pytest.raises(ForgeError, match=r"gh said: To get started .* Not \*\*\*\n") as caught:
        opened(clone, PATH=path, GH_TOKEN=TOKEN)
    assert caught.value.mend == ("gh auth status",)
    assert caught.value.note == "Open it by hand: https://github.com/o/r/compare/dev...feature/x?expand=1"


def test_gh_that_cannot_be_run(clone, tmp_path):
    named(clone, "https://github.com/o/r")
    path = program(tmp_path / "bin", "gh", "")
    (tmp_path / "bin/gh").write_text("#!/nonexistent/interpreter\n")
    with pytest.raises(ForgeError, match="gh cannot be run: No such file"):
        opened(clone, PATH=path)


def test_gh_for_a_companys_own_github(clone, tmp_path):
    named(clone, "git@github.example.com:o/r.git")
    path = program(tmp_path / "bin", "gh", f'printf "%s\n" "$@" > {tmp_path}/said')
    assert opened(clone, PATH=path) == PullRequest("https://github.example.com/o/r", opened=True)
    assert "--repo=github.example.com/o/r" in (tmp_path / "said").read_text().splitlines()


def test_without_any_of_it_the_address_is_given(clone):
    named(clone, "https://github.com/o/r")
    url = "https://github.com/o/r/compare/dev...feature/x?expand=1"
    assert opened(clone) == PullRequest(url, opened=False)


GITLAB = """
env | grep ^GIT_PUSH_OPTION | sort > {folder}/options
read before after ref
git update-ref refs/merge-requests/5/head "$after"
echo "View merge request for feature/x:"
echo "  https://gitlab.com/g/r/-/merge_requests/5"
"""


@pytest.fixture
def gitlab(clone, tmp_path):
    """Its remote takes push options, and keeps the heads of merge requests as GitLab does."""
    named(clone, "https://gitlab.com/g/r")
    subprocess.run(["git", "config", "receive.advertisePushOptions", "true"], cwd=clone.bare, check=True)
    clone.hook("post-receive", GITLAB.format(folder=tmp_path))
    return clone


def test_gitlab_by_its_push_options(gitlab, tmp_path):
    gitlab.commit("x.txt", "text")
    assert opened(gitlab) == PullRequest("https://gitlab.com/g/r/-/merge_requests/5", opened=True)
    assert (tmp_path / "options").read_text().splitlines() == [
        "GIT_PUSH_OPTION_0=merge_request.create",
        "GIT_PUSH_OPTION_1=merge_request.target=dev",
        "GIT_PUSH_OPTION_2=merge_request.title=Title",
        "GIT_PUSH_OPTION_3=merge_request.description=- one<br>- two",
        "GIT_PUSH_OPTION_COUNT=4",
    ]


def test_a_merge_request_that_is_open_keeps_the_words_that_people_gave_it(gitlab, tmp_path):
    gitlab.commit("x.txt", "text")
    first = opened(gitlab)
    gitlab.commit("x.txt", "more")
    assert opened(gitlab) == first
    assert "GIT_PUSH_OPTION_COUNT=2" in (tmp_path / "options").read_text().splitlines()


def test_a_merge_request_is_found_when_there_is_nothing_to_push(gitlab, tmp_path):
    gitlab.commit("x.txt", "text")
    first = opened(gitlab)
    (tmp_path / "options").unlink()
    assert opened(gitlab) == first
    assert not (tmp_path / "options").exists()


def test_a_lane_without_anything_to_push_is_opened_by_hand(gitlab):
    gitlab.commit("x.txt", "text")
    gitlab.push("HEAD:dev", "-o", "merge_request.create")
    asked = opened(gitlab, head="dev", base="test", is_lane=True)
    url = "https://gitlab.com/g/r/-/merge_requests/new"
    words = "merge_request[source_branch]=dev&merge_request[target_branch]=test"
    assert asked == PullRequest(f"{url}?{words}", opened=False)


def test_gitlab_that_does_not_take_options(clone):
    named(clone, "https://gitlab.com/g/r")
    clone.commit("x.txt", "text")
    with pytest.raises(ForgeError, match="did not take the push"):
        opened(clone)


def test_gitlab_by_glab_when_it_is_installed(clone, tmp_path):
    named(clone, "https://gitlab.com/g/r")
    path = program(tmp_path / "bin", "glab", "echo https://gitlab.com/g/r/-/merge_requests/9")
    assert opened(clone, PATH=path) == PullRequest("https://gitlab.com/g/r/-/merge_requests/9", opened=True)


def test_glab_names_the_one_that_is_open_by_its_number(clone, tmp_path):
    named(clone, "https://gitlab.com/g/r")
    script = (
        'echo "POST https://gitlab.com/api/v4/projects/g%2Fr/merge_requests: 409 {message: '
        '[Another open merge request already exists for this source branch: !12]}" >&2\nexit 1'
    )
    path = program(tmp_path / "bin", "glab", script)
    assert opened(clone, PATH=path) == PullRequest("https://gitlab.com/g/r/-/merge_requests/12", opened=True)


def test_the_hook_keeps_hands_off_the_lanes(clone):
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

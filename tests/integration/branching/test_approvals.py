"""A candidate is approved by somebody else: by a tag, by a signed tag, or by a status on the forge."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from genpulse.branching.errors import FlowError, GitFailed, ReleaseRefused
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.approvals import approvals
from genpulse.branching.releases.approve import approve, demand_approved
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import approval_text, release
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.table import MAIN
from genpulse.branching.rules.versions import Version
from tests.integration.branching.clones import marked, moved, on_test
from tests.integration.branching.test_policy import commit_to

ANN = {"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org"}
RC = Version(0, 1, 0, 1)


def decide(clone, by, **more):
    lines = [f'by = "{by}"', *(f'{key} = "{value}"' for key, value in more.items())]
    clone.git("fetch", "-q", "origin")
    commit_to(clone, "dev", "[approval]\n" + "\n".join(lines) + "\n")
    clone.git("fetch", "-q", "origin")


def _by_person(clone):
    decide(clone, "person")


def _by_status(clone):
    decide(clone, "status", status="qa")


@pytest.fixture
def by_person(shelf, tmp_path):
    """A candidate that a person has to approve."""
    return shelf.clone(tmp_path, on_test, marked, _by_person)


@pytest.fixture
def by_status(shelf, tmp_path):
    """A candidate that the status `qa` has to approve."""
    return shelf.clone(tmp_path, on_test, marked, _by_status)


def codes(clone, **environment):
    """What the gate, `promote` and `release` each say of main; release is tried on a copy of the lanes."""
    repository = clone.repository(**environment)
    repository.fetch()
    gate = [refusal.code for refusal in check_merge(ProposedMerge("test", "main"), repository).refusals]
    return gate, _code(lambda: plan_promotion(clone.repository(**environment), MAIN))


def _code(step):
    try:
        step()
    except FlowError as error:
        return error.code
    return ""


def test_without_the_setting_nothing_is_demanded_and_it_is_said_plainly(candidate):
    assert codes(candidate) == ([], "")
    moved(candidate, "main")
    version = release(candidate.repository())
    assert approval_text(candidate.repository(), version) == "Nobody approved v0.1.0-rc.1."


def test_nobody_approved(by_person):
    assert codes(by_person) == (["approval_missing"], "approval_missing")
    with pytest.raises(ReleaseRefused, match=r"Somebody else than Author <author@example\.org>") as caught:
        plan_promotion(by_person.repository(), MAIN)
    assert caught.value.mend == ("genpulse flow rc --approve --version 0.1.0-rc.1",)


def test_somebody_else_approves_and_the_release_says_who(by_person):
    assert approve(by_person.repository(**ANN), words="Tested on a phone.") == RC
    assert codes(by_person) == ([], "")
    moved(by_person, "main")
    version = release(by_person.repository())
    assert approval_text(by_person.repository(), version) == "Approved by Ann <ann@example.org>."
    assert Verifier(by_person.repository()).verify("v0.1.0").candidate == RC
    assert by_person.git("tag", "--list", "approved/*") == ""
    (found,) = approvals(by_person.repository(), RC)
    assert found.words == "Tested on a phone."


def test_a_release_demands_it_too(candidate):
    moved(candidate, "main")
    candidate.git("fetch", "-q", "origin")
    decide(candidate, "person")
    assert _code(lambda: release(candidate.repository())) == "approval_missing"
    approve(candidate.repository(**ANN))
    assert release(candidate.repository()).tag == "v0.1.0"


def test_ones_own_candidate_is_nobodys_to_approve(candidate):
    with pytest.raises(ReleaseRefused, match="and so are you") as caught:
        approve(candidate.repository())
    assert caught.value.code == "approval_own"
    with pytest.raises(ReleaseRefused, match="and so are you"):
        approve(candidate.repository(GIT_COMMITTER_NAME="Other", GIT_COMMITTER_EMAIL="AUTHOR@example.org"))


@pytest.mark.parametrize("name", ["0.1.0", "v0.1.0", "0.1.0-rc.1", "0.1.0rc1"])
def test_a_candidate_is_named_by_itself_or_by_its_release(candidate, name):
    assert approve(candidate.repository(**ANN), name) == RC


def test_another_release_has_no_candidate(candidate):
    with pytest.raises(ReleaseRefused, match=r"there is no open candidate of v9\.0\.0"):
        approve(candidate.repository(**ANN), "9.0.0")


def test_a_person_approves_once(candidate):
    approve(candidate.repository(**ANN))
    with pytest.raises(ReleaseRefused, match="You approved it already"):
        approve(candidate.repository(**ANN))


def test_an_approval_is_worth_nothing_for_another_candidate(by_person):
    approve(by_person.repository(**ANN))
    by_person.merged("fix/more", "more.txt")
    moved(by_person, "test")
    tag_candidate(by_person.repository())
    assert codes(by_person) == (["approval_missing"], "approval_missing")
    made = by_person.git("ls-remote", "origin", "refs/tags/approved/v0.1.0-rc.1/*").split()[0]
    by_person.git("fetch", "-q", "origin", f"{made}")
    by_person.push(f"{made}:refs/tags/approved/v0.1.0-rc.2/ann-example.org")
    assert codes(by_person) == (["approval_missing"], "approval_missing")


@pytest.mark.parametrize("kind", ["light", "on the commit", "by the author", "here alone"])
def test_what_is_no_approval(by_person, kind):
    name = "approved/v0.1.0-rc.1/ann-example.org"
    environment = {} if kind == "by the author" else ANN
    marks = "v0.1.0-rc.1^{commit}" if kind == "on the commit" else "v0.1.0-rc.1"
    light = ("tag", name, marks)
    by_person.git(*(light if kind == "light" else ("tag", "-a", "-m", "Good", name, marks)), **environment)
    if kind != "here alone":
        by_person.push(f"refs/tags/{name}")
    assert codes(by_person) == (["approval_missing"], "approval_missing")


def test_an_approval_that_was_taken_back_is_none(by_person):
    approve(by_person.repository(**ANN))
    assert codes(by_person) == ([], "")
    by_person.push(":refs/tags/approved/v0.1.0-rc.1/ann-example.org")
    assert codes(by_person) == (["approval_missing"], "approval_missing")


def test_offline_it_is_what_was_fetched_last(by_person):
    approve(by_person.repository(**ANN))
    repository = by_person.repository()
    repository.fetch()
    demand_approved(repository, [RC])
    demand_approved(by_person.repository(offline=True), [RC])


def test_nothing_to_approve(clone):
    with pytest.raises(ReleaseRefused, match="there is no open candidate"):
        approve(clone.repository(**ANN))


def keys(clone, *people):
    """SSH keys, and a file that says whose they are."""
    allowed = clone.folder.parent / "allowed"
    with allowed.open("a") as file:
        for person in people:
            key = clone.folder.parent / person
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(key)]
            subprocess.run(command, check=True, capture_output=True)
            file.write(f"{person}@example.org {key.with_suffix('.pub').read_text()}")
    clone.git("config", "gpg.format", "ssh")
    clone.git("config", "gpg.ssh.allowedSignersFile", str(allowed))


def signing(clone, person):
    clone.git("config", "user.signingkey", str(clone.folder.parent / person))


def test_a_signature_is_demanded_and_has_to_be_that_of_whom_it_names(candidate):
    decide(candidate, "signature")
    keys(candidate, "ann", "bob")
    name = "approved/v0.1.0-rc.1/ann-example.org"
    candidate.git("tag", "-a", "-m", "Good", name, "v0.1.0-rc.1", **ANN)
    candidate.push(f"refs/tags/{name}")
    assert codes(candidate)[1] == "approval_missing"
    candidate.push(f":refs/tags/{name}")
    candidate.git("tag", "-d", name)
    signing(candidate, "bob")
    candidate.git("tag", "-s", "-m", "Good", name, "v0.1.0-rc.1", **ANN)
    candidate.push(f"refs/tags/{name}")
    assert codes(candidate)[1] == "approval_missing"
    candidate.push(f":refs/tags/{name}")
    candidate.git("tag", "-d", name)
    signing(candidate, "ann")
    approve(candidate.repository(**ANN))
    assert codes(candidate) == ([], "")


def test_an_approval_without_its_signature_is_not_published(candidate):
    decide(candidate, "signature")
    keys(candidate, "ann")
    candidate.git("config", "user.signingkey", "/nonexistent")
    with pytest.raises(GitFailed):
        approve(candidate.repository(**ANN))
    assert "approved" not in candidate.git("ls-remote", "origin")
    assert candidate.git("tag", "--list", "approved/*") == ""


class Statuses(BaseHTTPRequestHandler):
    """Speaks what GitHub and GitLab say of a commit's statuses and checks."""

    def do_GET(self):
        place = urlsplit(self.path)
        self.server.asked.append(unquote(self.path))
        name = parse_qs(place.query).get("check_name", [""])[0]
        kind = place.path.rpartition("/")[2]
        document = {
            "status": {"statuses": self.server.statuses},
            "check-runs": {"check_runs": [check for check in self.server.checks if check["name"] == name]},
            "statuses": self.server.statuses,
        }[kind]
        body = json.dumps(document if self.server.code == 200 else {"message": "No."}).encode()
        self.send_response(self.server.code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def statuses():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Statuses)
    server.daemon_threads = True
    server.statuses, server.checks, server.asked, server.code = [], [], [], 200
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def demanded(clone, host, **environment):
    """By a repository that believes its remote to be on that host; what git fetched is used."""
    repository = clone.repository(**environment)
    repository.fetch()
    _ = (repository.policy, repository.published, repository.remote)
    clone.git("remote", "set-url", "origin", f"https://{host}/o/r")
    return _code(lambda: demand_approved(repository, [RC]))


@pytest.mark.parametrize(
    ("statuses_", "checks", "code"),
    [
        ([], [], "approval_missing"),
        ([{"context": "qa", "state": "success"}], [], ""),
        ([{"context": "qa", "state": "failure"}], [], "approval_missing"),
        ([{"context": "qa", "state": "pending"}, {"context": "qa", "state": "success"}], [], "approval_missing"),
        ([{"context": "other", "state": "success"}], [], "approval_missing"),
        ([], [{"name": "qa", "status": "completed", "conclusion": "success"}], ""),
        ([], [{"name": "qa", "status": "in_progress", "conclusion": None}], "approval_missing"),
        ([], [{"name": "other", "status": "completed", "conclusion": "success"}], "approval_missing"),
    ],
)
def test_a_status_on_github(by_status, statuses, statuses_, checks, code):
    statuses.statuses, statuses.checks = statuses_, checks
    assert demanded(by_status, "github.com", GITHUB_API_URL=statuses.url, GITHUB_TOKEN="t") == code
    commit = by_status.git("rev-parse", "v0.1.0-rc.1^{commit}")
    assert statuses.asked[0].startswith(f"/repos/o/r/commits/{commit}/status")


@pytest.mark.parametrize(
    ("state", "code"), [("success", ""), ("failed", "approval_missing"), (None, "approval_missing")]
)
def test_a_status_on_gitlab(by_status, statuses, state, code):
    statuses.statuses = [{"name": "qa", "status": state}] if state else []
    assert demanded(by_status, "gitlab.com", CI_API_V4_URL=f"{statuses.url}/api/v4") == code
    assert statuses.asked[0].startswith("/api/v4/projects/o/r/repository/commits/")


def test_what_nobody_can_tell_is_not_approved(by_status, statuses):
    statuses.code = 403
    assert demanded(by_status, "github.com", GITHUB_API_URL=statuses.url) == "approval_unknown"
    assert demanded_here(by_status) == "approval_unknown"
    assert demanded(by_status, "github.com", GITHUB_API_URL="http://127.0.0.1:1") == "approval_unknown"


def demanded_here(clone):
    """A remote that is no forge."""
    clone.git("remote", "set-url", "origin", "../remote.git")
    repository = Repository(clone.folder, clone.repository().git.environment)
    repository.fetch()
    return _code(lambda: demand_approved(repository, [RC]))

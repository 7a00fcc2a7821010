"""Contributors who push to a fork, and settings of git that people have."""

import subprocess

import pytest

from genpulse.branching.errors import MergeRefused, NameRefused, RepositoryUnfit
from genpulse.branching.forges import PullRequest, PullRequestDraft, open_pull_request
from genpulse.branching.git.process import Git
from genpulse.branching.rules.table import DEV
from genpulse.branching.topics.finish import finish
from genpulse.branching.topics.start import start
from tests.integration.branching.clones import ENVIRONMENT
from tests.integration.branching.test_forges import TOKEN, forge, gitlab, named, program

__all__ = ["forge", "gitlab"]


@pytest.fixture
def contributor(clone):
    """The clone of a fork: origin is the fork, with lanes of long ago; upstream is the repository."""
    subprocess.run(
        ["git", "clone", "-q", "--bare", str(clone.bare), "../fork.git"], cwd=clone.folder, env=ENVIRONMENT
    )
    clone.merged("feature/new", "new.txt")
    clone.git("remote", "rename", "origin", "upstream")
    clone.git("remote", "add", "origin", "../fork.git")
    clone.git("config", "remote.pushDefault", "origin")
    clone.git("config", "flow.remote", "upstream")
    return clone


def there(clone, bare, ref):
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", ref], cwd=bare, env=ENVIRONMENT, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_topic_begins_at_the_repositorys_dev_and_goes_to_the_fork(contributor):
    start(contributor.repository(), "feature/x")
    assert (contributor.folder / "new.txt").exists()
    commit = contributor.commit("x.txt", "x")
    done = finish(contributor.repository())
    assert (done.url, done.opened) == ("", False)
    assert there(contributor, contributor.folder.parent / "fork.git", "refs/heads/feature/x") == commit
    assert there(contributor, contributor.bare, "refs/heads/feature/x") == ""
    assert contributor.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/feature/x"


def test_what_a_colleague_pushed_to_the_fork_is_not_written_over(contributor):
    start(contributor.repository(), "feature/x")
    contributor.commit("x.txt", "x")
    finish(contributor.repository())
    theirs = contributor.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Theirs")
    contributor.git("push", "-q", "origin", f"{theirs}:refs/heads/feature/x")
    contributor.commit("x.txt", "y")
    with pytest.raises(MergeRefused, match="Theirs") as caught:
        finish(contributor.repository())
    assert caught.value.mend == ("git pull --rebase origin feature/x",)
    contributor.shell(caught.value.mend[0])
    finish(contributor.repository())
    assert "Theirs" in contributor.git("log", "--format=%s", "origin/feature/x")


@pytest.mark.parametrize("key", ["flow.pushRemote", "branch.feature/x.pushRemote", "remote.pushDefault"])
def test_a_remote_that_is_not_there(clone, key):
    start(clone.repository(), "feature/x")
    clone.commit("x.txt", "x")
    clone.git("config", key, "gone")
    with pytest.raises(RepositoryUnfit, match=f"git config {key} is gone, and there is no such remote") as caught:
        finish(clone.repository())
    clone.shell(caught.value.mend[0])
    finish(clone.repository())


def test_the_flows_own_word_comes_first(contributor):
    contributor.git("config", "flow.pushRemote", "upstream")
    start(contributor.repository(), "feature/x")
    commit = contributor.commit("x.txt", "x")
    finish(contributor.repository())
    assert there(contributor, contributor.bare, "refs/heads/feature/x") == commit


def test_what_gh_has_marked_as_the_parent_has_the_lanes(contributor):
    contributor.git("config", "--unset", "flow.remote")
    assert contributor.repository().remote == "origin"
    contributor.git("config", "remote.upstream.gh-resolved", "base")
    assert contributor.repository().remote == "upstream"


@pytest.fixture
def forked(clone):
    """The repository is o/r on a forge, and the branch goes to me/r."""
    subprocess.run(["git", "init", "-q", "--bare", "../fork.git"], cwd=clone.folder, env=ENVIRONMENT, check=True)

    def at(host):
        named(clone, f"https://{host}/o/r")
        clone.git("remote", "add", "fork", f"https://{host}/me/r")
        clone.git("remote", "set-url", "--push", "fork", str(clone.folder.parent / "fork.git"))
        return clone

    return at


def opened(clone, **environment):
    commit = clone.git("rev-parse", "HEAD")
    draft = PullRequestDraft("origin", "feature/x", commit, "dev", "Title", "", push_remote="fork")
    return open_pull_request(Git(clone.folder, {**ENVIRONMENT, **environment}), draft)


def test_the_request_names_the_forks_branch(forked, forge):
    clone = forked("github.com")
    found = opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url)
    assert found == PullRequest("https://github.com/o/r/pull/1", opened=True)
    path, document = forge.asked[0]
    assert (path, document["head"], document["base"]) == ("/repos/o/r/pulls", "me:feature/x", "dev")
    assert opened(clone, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=forge.url) == found
    assert "head=me%3Afeature%2Fx" in forge.asked[-1][0]
    assert there(clone, clone.folder.parent / "fork.git", "refs/heads/feature/x")
    assert not there(clone, clone.bare, "refs/heads/feature/x")


def test_by_gh_by_hand_and_by_glab(forked, tmp_path):
    clone = forked("github.com")
    by_hand = opened(clone)
    assert by_hand == PullRequest("https://github.com/o/r/compare/dev...me%3Afeature/x?expand=1", opened=False)
    path = program(tmp_path / "bin", "gh", f'printf "%s\\n" "$@" > {tmp_path}/said\necho https://x.example/pull/3')
    assert opened(clone, PATH=path).url == "https://x.example/pull/3"
    assert "--head=me:feature/x" in (tmp_path / "said").read_text().splitlines()


def test_gitlab_by_push_options_and_by_glab(forked, tmp_path):
    clone = forked("gitlab.com")
    fork = clone.folder.parent / "fork.git"
    subprocess.run(["git", "config", "receive.advertisePushOptions", "true"], cwd=fork, check=True)
    hook = fork / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nenv | grep GIT_PUSH_OPTION_ > {tmp_path}/options\n")
    hook.chmod(0o755)
    assert opened(clone).url.startswith("https://gitlab.com/me/r/-/merge_requests/new?")
    assert "merge_request.target_project=o/r" in (tmp_path / "options").read_text()
    clone.git("commit", "-q", "--allow-empty", "-m", "More")
    path = program(tmp_path / "bin", "glab", f'printf "%s\\n" "$@" > {tmp_path}/said')
    opened(clone, PATH=path)
    assert "--head=me/r" in (tmp_path / "said").read_text().splitlines()


def test_after_finish_push_and_pull_know_where(clone):
    start(clone.repository(), "feature/x")
    clone.commit("x.txt", "x")
    finish(clone.repository())
    assert clone.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/feature/x"
    clone.commit("x.txt", "y")
    clone.git("push", "-q")
    clone.git("pull", "-q")


def test_a_lane_is_no_upstream_of_a_topic_and_any_other_choice_stays(clone):
    clone.git("switch", "-qc", "feature/x", "--track", "origin/dev")
    clone.commit("x.txt", "x")
    finish(clone.repository())
    assert clone.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/feature/x"
    clone.git("config", "branch.feature/x.merge", "refs/heads/mine")
    clone.commit("x.txt", "y")
    finish(clone.repository())
    assert clone.git("config", "branch.feature/x.merge") == "refs/heads/mine"


def test_a_private_tag_is_not_published_by_the_way(clone):
    clone.git("config", "push.followTags", "true")
    clone.git("config", "push.recurseSubmodules", "check")
    start(clone.repository(), "feature/x")
    clone.commit("x.txt", "x")
    clone.git("tag", "-a", "v5.0.0-rc.1", "-m", "Mine")
    finish(clone.repository(), merge=True)
    assert clone.git("ls-remote", "--tags", "origin") == ""


@pytest.mark.parametrize(
    ("name", "other", "mend"),
    [
        ("feature/login", "feature/LOGIN", "genpulse flow start feature/login-2"),
        ("feature/JIRA-1", "feature/jira-1", "genpulse flow start feature/JIRA-1-2"),
        ("feature/a/b", "feature/a", "genpulse flow start feature/a-b-2"),
        ("feature/a/b", "feature/A", "genpulse flow start feature/a-b-2"),
        ("feature/a", "feature/A/b", "genpulse flow start feature/a-2"),
    ],
)
def test_names_that_are_one_to_a_file_system(clone, name, other, mend):
    clone.push(f"dev:refs/heads/{other}")
    with pytest.raises(NameRefused, match=f"cannot exist beside {other}") as caught:
        start(clone.repository(), name)
    assert caught.value.code == "name_clashes"
    assert caught.value.mend == (mend,)
    start(clone.repository(), mend.removeprefix("genpulse flow start "))


def test_a_branch_of_another_case_is_found_before_it_is_pushed(clone):
    start(clone.repository(), "feature/login")
    clone.commit("x.txt", "x")
    clone.push("dev:refs/heads/feature/LOGIN")
    with pytest.raises(NameRefused, match="cannot exist beside feature/LOGIN") as caught:
        finish(clone.repository())
    clone.shell(caught.value.mend[0].partition(" && ")[0])
    assert finish(clone.repository()).head == "feature/login-2"


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("git version 2.34.1", True),
        ("git version 2.37.9 (Apple Git-154)", True),
        ("git version 1.8.3.1", True),
        ("git version 2.38.0", False),
        ("git version 2.39.5.windows.1", False),
        ("git version 3.0.0", False),
        ("something else", False),
    ],
)
def test_an_old_git_is_named_at_once(clone, tmp_path, said, refused):
    real = subprocess.run(
        ["sh", "-c", "command -v git"], capture_output=True, text=True, check=True
    ).stdout.strip()
    script = f'case " $* " in *" version "*) echo "{said}"; exit ;; esac\nexec {real} "$@"'
    repository = clone.repository(PATH=program(tmp_path / "bin", "git", script))
    if refused:
        with pytest.raises(RepositoryUnfit, match=r"2\.38 is the oldest") as caught:
            repository.fetch()
        assert caught.value.code == "git_too_old"
    else:
        assert repository.lane(DEV)


@pytest.mark.parametrize("language", ["de_DE.UTF-8", "ja_JP.UTF-8", "C"])
def test_git_is_asked_in_english_whatever_the_terminal_speaks(clone, language):
    repository = clone.repository(LC_ALL=language, LANGUAGE=language, LANG=language)
    assert repository.git.environment["LC_ALL"] == language
    said = repository.git("rev-parse", "--verify", "nothing", ok=(0, 128))
    assert "fatal: Needed a single revision" in said.err

import pytest

from genpulse.branching.errors import GitFailed, RepositoryUnfit
from genpulse.branching.git.objects import object_named
from genpulse.branching.git.process import Git
from genpulse.branching.git.repository import Repository
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.status import read_state
from tests.integration.branching.clones import ENVIRONMENT


def test_git_that_is_not_installed(clone, tmp_path):
    with pytest.raises(RepositoryUnfit, match="git is not on PATH"):
        Git(clone.folder, {**ENVIRONMENT, "PATH": str(tmp_path)})("status")


def test_a_failure_says_what_git_said_and_where(clone):
    with pytest.raises(GitFailed, match="Needed a single revision") as caught:
        Git(clone.folder, ENVIRONMENT)("rev-parse", "--verify", "nothing")
    assert str(clone.folder) in caught.value.found


def test_nobody_is_asked_and_nothing_is_translated(clone):
    git = Git(clone.folder, {**ENVIRONMENT, "LANGUAGE": "de", "LC_ALL": "de_DE.UTF-8", "GIT_TERMINAL_PROMPT": "1"})
    git("config", "alias.show-environment", "!env")
    said = git("show-environment").out
    for line in ("GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "LANGUAGE=C", "GIT_NO_REPLACE_OBJECTS=1"):
        assert line in said.split("\n")


def test_a_name_is_needed_to_commit(clone):
    nameless = {
        name: value for name, value in ENVIRONMENT.items() if not name.startswith(("GIT_AUTHOR", "GIT_COMM"))
    }
    clone.git("config", "user.useConfigOnly", "true")
    with pytest.raises(GitFailed, match="Commits and tags carry a name"):
        Git(clone.folder, nameless)("commit", "--allow-empty", "-m", "x")


def test_a_configuration_that_changes_what_git_prints_changes_nothing(clone):
    for name, value in {
        "log.showSignature": "true",
        "log.date": "relative",
        "log.decorate": "full",
        "color.ui": "always",
        "core.quotePath": "true",
        "status.relativePaths": "true",
        "status.branch": "true",
        "format.pretty": "oneline",
        "merge.conflictStyle": "diff3",
        "tag.sort": "-creatordate",
        "i18n.logOutputEncoding": "ISO-8859-1",
    }.items():
        clone.git("config", name, value)
    clone.commit("ä b.txt", "text", "Größe")
    (clone.folder / "ä b.txt").write_text("changed")
    repository = clone.repository()
    assert repository.changed_files() == ("ä b.txt",)
    (commit,) = repository.between([clone.git("rev-parse", "dev")], [clone.git("rev-parse", "test")])
    assert commit.subject == "Größe"
    assert set(repository.refs.remote) == {"dev", "main", "test"}


def test_a_subfolder_is_as_good_as_the_top(clone):
    clone.commit("deep/er/x.txt", "text")
    repository = Repository(clone.folder / "deep" / "er", ENVIRONMENT)
    assert repository.root == clone.folder
    assert repository.paths(clone.git("rev-parse", "dev"), ["deep", "main"]) == ("deep",)
    (clone.folder / "readme.md").write_text("changed")
    assert repository.changed_files() == ("readme.md",)


def test_the_remotes_default_branch_is_no_branch_of_its_own(clone):
    clone.git("remote", "set-head", "origin", "main")
    assert set(clone.repository().refs.remote) == {"dev", "main", "test"}


def test_a_remote_whose_name_is_an_option(clone):
    clone.git("config", "remote.--upload-pack=x.url", "/nowhere")
    clone.git("config", "flow.remote", "--upload-pack=x")
    with pytest.raises(Exception, match="does not look like an option"):
        _ = clone.repository().remote


def test_a_work_tree_of_the_same_repository(clone, tmp_path):
    clone.git("worktree", "add", "-q", "-b", "feature/x", str(tmp_path / "second"), "dev")
    repository = Repository(tmp_path / "second", ENVIRONMENT)
    assert repository.refs.current == "feature/x"
    assert clone.repository().refs.current == "dev"


def test_what_never_changes_is_asked_once_and_a_failure_every_time(clone, tmp_path):
    log = tmp_path / "trace"
    git = Git(clone.folder, {**ENVIRONMENT, "GIT_TRACE": str(log)})
    commit = clone.git("rev-parse", "HEAD")
    assert git.lasting("cat-file", "-t", commit) == git.lasting("cat-file", "-t", commit)
    assert git.lasting("cat-file", "--batch-check", stdin=commit) != git.lasting(
        "cat-file", "--batch-check", stdin=""
    )
    assert log.read_text().count("built-in: git") == 3
    for _ in range(2):
        with pytest.raises(GitFailed):
            git.lasting("cat-file", "-t", "0" * 40)
    assert log.read_text().count("built-in: git") == 5


def test_an_object_by_its_name(clone):
    git = Git(clone.folder, ENVIRONMENT)
    clone.git("tag", "-am", "Words\n\nand more", "v1.0.0")
    tag = object_named(git, "refs/tags/v1.0.0")
    assert (tag.id, tag.kind) == (clone.git("rev-parse", "refs/tags/v1.0.0"), "tag")
    assert tag.content.startswith(f"object {clone.git('rev-parse', 'HEAD')}\ntype commit\ntag v1.0.0\n")
    assert object_named(git, "refs/heads/dev").kind == "commit"
    with pytest.raises(GitFailed, match=r"there is no refs/tags/v2\.0\.0 here"):
        object_named(git, "refs/tags/v2.0.0")


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("flow.pushRemote", "Flow.PUSHREMOTE"),
        ("remote.pushDefault", "remote.pushdefault"),
        ("branch.feature/A.b.pushRemote", "branch.feature/A.b.pushRemote"),
    ],
)
def test_a_setting_by_its_name_as_git_takes_it(clone, key, written):
    assert clone.repository().setting(key) == ""
    clone.git("config", written, "mine")
    assert clone.repository().setting(key) == "mine"
    assert clone.repository().setting(key.replace("/A", "/a")) == ("" if "/A" in key else "mine")


def test_the_branch_that_the_remote_puts_first(clone):
    assert clone.repository().refs.default == ""
    clone.git("remote", "set-head", "origin", "main")
    assert clone.repository().refs.default == "main"


def test_what_is_looked_at_takes_few_commands_of_git(done, tmp_path):
    """Each is a process, and all that a person waits for."""
    for number, (most, ask) in enumerate(
        (
            (12, lambda repository: check_merge(ProposedMerge("dev", "test"), repository)),
            (15, lambda repository: check_merge(ProposedMerge("test", "main"), repository)),
            (10, lambda repository: Verifier(repository).verify()),
            (18, read_state),
        )
    ):
        log = tmp_path / f"trace-{number}"
        ask(done.repository(offline=True, GIT_TRACE=str(log)))
        assert log.read_text().count("built-in: git") <= most

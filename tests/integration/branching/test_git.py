import pytest

from genpulse.branching.errors import GitFailed, RepositoryUnfit
from genpulse.branching.git import Git
from genpulse.branching.repository import Repository
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

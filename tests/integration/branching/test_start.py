import pytest

from genpulse.branching.errors import NameRefused, RepositoryUnfit
from genpulse.branching.topics.start import start


def refused(clone, name, words, error=NameRefused, start_from="dev"):
    before = clone.refs()
    with pytest.raises(error, match=words) as caught:
        start(clone.repository(), name, start_from)
    assert clone.refs() == before
    return caught.value


def test_a_branch_begins_at_the_newest_commit_of_dev_on_the_remote(clone):
    clone.merged("feature/before", "a.txt")
    clone.git("update-ref", "refs/remotes/origin/dev", "refs/heads/dev")
    commit = start(clone.repository(), "feature/x")
    assert clone.git("symbolic-ref", "HEAD") == "refs/heads/feature/x"
    assert (
        clone.git("rev-parse", "HEAD") == clone.git("ls-remote", "origin", "refs/heads/dev").split()[0] == commit
    )
    assert (clone.folder / "a.txt").exists()
    assert not clone.git("for-each-ref", "--format=%(upstream)", "refs/heads/feature/x")


def test_offline_it_begins_at_what_was_fetched_last(clone):
    clone.git("remote", "set-url", "origin", "/nowhere")
    start(clone.repository(offline=True), "fix/x")
    assert clone.git("symbolic-ref", "--short", "HEAD") == "fix/x"


ODD = ["feature/a b", "feature/--force", "fix/Ü", "feature/a'b", 'fix/a"b', "-f", "--help", "x", "fix/a..b", "dev"]


@pytest.mark.parametrize("name", ODD)
def test_names_that_are_no_branch(clone, name):
    refused(clone, name, "found: ")


def test_a_hotfix_is_told_where_to_go_back_to(clone):
    clone.git("tag", "-am", "x", "v1.0.0-rc.1", "origin/test")
    clone.git("tag", "-am", "x", "v1.0.0", "origin/main")
    clone.push("v1.0.0-rc.1", "v1.0.0")
    error = refused(clone, "hotfix/x", "hotfix/… is not a branch type here")
    assert "the last verified tag v1.0.0" in error.note


def test_another_beginning_than_dev(clone):
    error = refused(clone, "feature/x", "feature/x must start from dev", start_from="main")
    assert error.found == "you asked for main."


def test_a_name_that_is_taken_here_or_there(clone):
    clone.topic("feature/x", "x.txt")
    refused(clone, "feature/x", "exists here")
    clone.git("branch", "-D", "feature/x")
    refused(clone, "feature/x", "exists on origin")


def test_a_branch_in_the_way_of_a_folder(clone):
    clone.git("branch", "feature")
    refused(clone, "feature/x", "cannot exist beside feature")


def test_a_tag_or_a_folder_of_the_same_name(clone):
    clone.git("tag", "feature/x")
    refused(clone, "feature/x", "there is a tag feature/x")
    clone.commit("fix/x/file", "text")
    clone.push("dev")
    refused(clone, "fix/x", "fix/x is in the tree")


def test_a_dirty_tree_and_an_untracked_file(clone):
    (clone.folder / "new.txt").write_text("untracked files stay where they are")
    start(clone.repository(), "feature/x")
    (clone.folder / "readme.md").write_text("changed")
    refused(clone, "feature/y", "readme.md", RepositoryUnfit)


def test_a_detached_head(clone):
    clone.git("checkout", "-q", "--detach")
    refused(clone, "feature/x", "detached", RepositoryUnfit)


def test_a_branch_without_a_commit(clone):
    clone.git("switch", "-q", "--orphan", "fresh")
    refused(clone, "feature/x", "no commit yet", RepositoryUnfit)


def test_no_remote(clone):
    clone.git("remote", "remove", "origin")
    refused(clone, "feature/x", "there is no remote", RepositoryUnfit)


def test_the_remote_of_another_name(clone):
    clone.git("remote", "rename", "origin", "upstream")
    start(clone.repository(), "feature/x")
    clone.git("remote", "add", "other", "/nowhere")
    refused(clone, "feature/y", "flow.remote", RepositoryUnfit)
    clone.git("config", "flow.remote", "upstream")
    start(clone.repository(), "feature/y")


def test_a_shallow_clone(clone):
    clone.commit("a.txt", "text")
    clone.push("dev")
    clone.git("fetch", "-q", "--depth=1", f"file://{clone.bare}", "+refs/heads/*:refs/remotes/origin/*")
    refused(clone, "feature/x", "shallow", RepositoryUnfit)


def test_a_remote_without_dev(clone):
    clone.git("push", "-q", "origin", ":refs/heads/dev")
    error = refused(clone, "feature/x", "origin has no branch dev", RepositoryUnfit)
    assert "refs/remotes/origin/main:refs/heads/dev" in error.mend[1]


def test_a_remote_that_is_away_and_a_folder_without_repository(clone, tmp_path):
    clone.git("remote", "set-url", "origin", "/nowhere")
    with pytest.raises(Exception, match="The remote has to be readable"):
        start(clone.repository(), "feature/x")
    clone.folder.rename(tmp_path / "away")
    with pytest.raises(RepositoryUnfit, match="no folder"):
        start(clone.repository(), "feature/x")
    clone.folder.mkdir()
    with pytest.raises(Exception, match="not a git repository"):
        start(clone.repository(), "feature/x")

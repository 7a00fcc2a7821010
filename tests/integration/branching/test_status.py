import pytest

from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.status import read_state


def state(clone):
    clone.git("fetch", "-q", "--prune", "origin")
    return read_state(clone.repository())


def test_a_new_repository(clone):
    found = state(clone)
    assert [row.pattern for row, _ in found.lanes] == ["dev", "test", "main"]
    assert [len(waiting.commits) for waiting in found.waiting] == [0, 0]
    assert (found.topics, found.candidate, found.release, found.violations) == ((), None, None, ())
    assert found.current == "dev"


def test_what_waits_where(done):
    clone = done
    clone.merged("feature/y", "y.txt")
    clone.topic("fix/z", "z.txt")
    clone.git("branch", "-q", "feature/mine", "fix/z")
    found = state(clone)
    assert [[commit.subject for commit in waiting.commits] for waiting in found.waiting] == [["Change y.txt"], []]
    assert {topic.ref.name: (len(topic.commits), topic.published) for topic in found.topics} == {
        "fix/z": (1, True),
        "feature/mine": (1, False),
    }
    assert found.candidate
    assert found.release
    assert (found.candidate.version.tag, found.release.version.tag) == ("v0.1.0-rc.1", "v0.1.0")
    assert found.release.refusal is None
    assert not found.violations


def test_every_violation_names_its_mend(clone):
    clone.commit("main/x.txt", "text")
    clone.push(
        "dev", "dev:hotfix/now", "dev:feature-1", "dev:dependabot/pip/x", "dev:gh-readonly-queue/dev/pr-1-a"
    )
    clone.git("tag", "dev")
    clone.git("tag", "feature/x")
    clone.git("tag", "v1.0.0", "origin/main")
    clone.git("tag", "-am", "x", "v2.0.0-rc.1", "refs/heads/dev")
    clone.git("switch", "-q", "test")
    clone.commit("stray.txt", "text")
    clone.git("switch", "-qc", "feature/wrong")
    clone.push("test", "feature/wrong")
    found = state(clone)
    text = "\n".join(str(refusal) for refusal in found.violations)
    for words in (
        "committed to test directly",
        "v1.0.0 is a light tag",
        "v2.0.0-rc.1 marks",
        "feature/wrong must start from dev",
        "a branch 'hotfix/now'",
        "a branch 'feature-1'",
        "there is a tag dev",
        "there is a tag feature/x",
        "main is in the tree",
    ):
        assert words in text
    assert len(found.violations) == 9
    assert all(refusal.mend or refusal.note for refusal in found.violations)


def test_a_missing_lane_and_no_lane_at_all(clone):
    clone.git("push", "-q", "origin", ":refs/heads/test")
    with pytest.raises(RepositoryUnfit, match="no branch test"):
        state(clone)


def test_subjects_cannot_speak_to_the_terminal(clone):
    clone.commit("x.txt", "text", "Red \x1b[31m alert \x07")
    clone.push("dev")
    (waiting, _) = state(clone).waiting
    assert waiting.commits[0].subject == "Red \ufffd[31m alert \ufffd"
    clone.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
    clone.push("dev")
    assert not state(clone).waiting[0].commits[0].subject


def test_a_release_from_before_is_shown_with_the_way_to_say_so(clone):
    clone.git("tag", "-am", "Old", "v1.2.3", "origin/main")
    clone.push("v1.2.3")
    (violation,) = read_state(clone.repository()).violations
    assert violation.mend == ("genpulse flow install --baseline v1.2.3",)
    assert "before the flow was adopted" in violation.note
    clone.out("dev")
    clone.commit(".flow.toml", 'baseline = "v1.2.3"\n')
    clone.push("dev")
    clone.git("fetch", "-q", "origin")
    assert read_state(clone.repository()).violations == ()

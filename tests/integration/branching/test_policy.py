"""Which of the many `.flow.toml` in a repository counts."""

import pytest

from genpulse.branching.errors import FlowError, PolicyBroken, RepositoryUnfit
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.rules.policy import DEFAULT, LaneNames
from genpulse.branching.rules.table import DEV, TEST
from genpulse.branching.rules.versions import Version
from genpulse.branching.topics.finish import finish


def commit_to(clone, branch, text):
    """The file on a branch of the remote; the work tree of this clone does not have it."""
    blob = clone.git("hash-object", "-w", "--stdin", stdin=text)
    above = clone.git("ls-tree", f"origin/{branch}")
    rows = [*above.splitlines(), f"100644 blob {blob}\t.flow.toml"]
    tree = clone.git("mktree", stdin="".join(f"{row}\n" for row in rows))
    commit = clone.git("commit-tree", tree, "-p", f"origin/{branch}", "-m", "Decide")
    clone.push(f"{commit}:refs/heads/{branch}")
    return commit


def renamed(clone, **names):
    """The lanes get other names on the remote."""
    clone.git("--git-dir", str(clone.bare), "config", "receive.denyDeleteCurrent", "ignore")
    for old, new in names.items():
        clone.push(f"refs/remotes/origin/{old}:refs/heads/{new}", f":refs/heads/{old}")


def test_without_a_file_it_is_the_default(clone):
    assert clone.repository().policy == DEFAULT


def test_what_dev_has_counts_once_it_is_fetched(clone):
    repository = clone.repository()
    commit_to(clone, "dev", 'baseline = "v1.0.0"\n')
    clone.git("update-ref", "refs/remotes/origin/dev", "HEAD")
    assert repository.policy == DEFAULT
    repository.fetch()
    assert repository.policy.baseline == Version(1, 0, 0)


def test_a_topic_cannot_open_the_gate_for_itself(clone):
    clone.git("switch", "-qc", "feature/x")
    clone.commit(".flow.toml", 'into_dev = ["evil/*"]\nbaseline = "v9.0.0"\n')
    clone.push("feature/x")
    (clone.folder / ".flow.toml").write_text('ignore = ["other"]\n')
    assert clone.repository().policy == DEFAULT


def test_nobodys_own_settings_count(clone):
    for key, value in (("flow.lanes", "a,b,c"), ("flow.bots", "x/*"), ("flow.baseline", "v9.0.0")):
        clone.git("config", key, value)
    assert clone.repository().policy == DEFAULT


def test_main_has_no_say_when_dev_has_the_file(clone):
    commit_to(clone, "main", 'baseline = "v9.0.0"\n')
    assert fetched(clone).policy == DEFAULT
    commit_to(clone, "dev", 'baseline = "v1.0.0"\n')
    assert fetched(clone).policy.baseline == Version(1, 0, 0)


def fetched(clone, **options):
    repository = clone.repository(**options)
    repository.fetch()
    return repository


NAMES = '[lanes]\ndev = "develop"\ntest = "staging"\nmain = "master"\n'


def test_other_names_are_found_by_the_usual_ones(clone):
    renamed(clone, dev="develop", test="staging", main="master")
    clone.git("fetch", "-q", "--prune", "origin")
    commit_to(clone, "develop", NAMES)
    repository = fetched(clone)
    assert repository.policy.names == LaneNames("develop", "staging", "master")
    plan = plan_promotion(repository, TEST)
    assert (plan.source.pattern, plan.target.pattern) == ("develop", "staging")


def test_an_unusual_name_is_found_by_the_remotes_default_branch(clone):
    renamed(clone, dev="integration")
    clone.git("fetch", "-q", "--prune", "origin")
    commit_to(clone, "integration", '[lanes]\ndev = "integration"\n')
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/integration")
    assert fetched(clone).policy.names.dev == "integration"


def test_an_unusual_name_is_found_by_main(clone):
    renamed(clone, dev="integration")
    clone.git("fetch", "-q", "--prune", "origin")
    text = 'baseline = "v1.0.0"\n[lanes]\ndev = "integration"\n'
    commit_to(clone, "main", text)
    assert fetched(clone).policy.names.dev == "integration"
    assert fetched(clone).policy.baseline is None
    commit_to(clone, "integration", text)
    assert fetched(clone).policy.baseline == Version(1, 0, 0)


def test_a_repository_that_is_being_adopted_goes_by_what_is_checked_out(clone):
    renamed(clone, dev="develop", test="staging", main="master")
    clone.git("fetch", "-q", "--prune", "origin")
    clone.git("switch", "-qc", "feature/adopt", "--no-track", "origin/develop")
    clone.commit(".flow.toml", NAMES)
    assert fetched(clone).lane(DEV).name == "develop"


def test_two_that_contradict_each_other(clone):
    clone.push("refs/remotes/origin/dev:refs/heads/develop")
    clone.git("fetch", "-q", "origin")
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    commit_to(clone, "main", NAMES)
    commit_to(clone, "develop", '[lanes]\ndev = "devel"\n')
    with pytest.raises(PolicyBroken, match="that dev is called develop, and on origin/develop it says devel"):
        _ = fetched(clone).policy


def test_the_gates_workflow_says_where_it_is(clone):
    clone.push("refs/remotes/origin/dev:refs/heads/evil")
    clone.git("fetch", "-q", "origin")
    commit_to(clone, "evil", '[lanes]\ndev = "evil"\ntest = "dev"\n')
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/evil")
    assert fetched(clone).policy.names.dev == "evil"
    assert clone_with_trunk(clone, "dev").policy == DEFAULT
    commit_to(clone, "dev", NAMES)
    with pytest.raises(PolicyBroken, match="dev is called develop, and it was asked for as dev"):
        _ = clone_with_trunk(clone, "dev").policy


def clone_with_trunk(clone, trunk):
    plain = fetched(clone)
    return Repository(clone.folder, plain.git.environment, trunk=trunk)


def test_a_file_that_nobody_understands_stops_everything(clone):
    commit_to(clone, "dev", "ignor = []\n")
    repository = fetched(clone)
    with pytest.raises(PolicyBroken, match=r"Did you mean ignore\?") as caught:
        repository.lane(DEV)
    assert "on origin/dev" in caught.value.found


def judged(clone, head, base="dev", **options):
    repository = clone_with_trunk(clone, "dev")
    try:
        return [refusal.code for refusal in check_merge(ProposedMerge(head, base, **options), repository).refusals]
    except FlowError as error:
        return [error.code]


def changed(clone, name, text):
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-qc", name, "--no-track", "origin/dev")
    clone.commit(".flow.toml", text)
    clone.push(name)


def test_a_branch_may_not_break_the_settings(clone):
    changed(clone, "feature/x", "ignor = []\n")
    assert judged(clone, "feature/x") == ["policy_broken"]
    with pytest.raises(PolicyBroken, match="Did you mean ignore"):
        finish(clone.repository())
    clone.commit(".flow.toml", "ignore = []\n")
    clone.push("feature/x")
    assert judged(clone, "feature/x") == []
    assert finish(clone.repository()).head == "feature/x"


def test_settings_that_nobody_understands_are_mended_by_a_branch_and_by_nothing_else(clone):
    commit_to(clone, "dev", "ignor = []\n")
    changed(clone, "fix/settings", 'bots = ["acme/*"]\n')
    clone.topic("feature/other", "x.txt")
    assert judged(clone, "fix/settings") == []
    assert judged(clone, "feature/other") == ["policy_broken"]
    assert judged(clone, "fix/settings", "main") == ["policy_broken"]
    assert judged(clone, "fix/settings", head_repo="me/r", base_repo="o/r") == ["policy_broken"]
    assert check_merge(ProposedMerge("feature/x", ""), clone.repository(), history=False)
    clone.git("switch", "-q", "feature/other")
    with pytest.raises(PolicyBroken):
        finish(clone.repository())
    clone.git("switch", "-q", "fix/settings")
    assert finish(clone.repository(), merge=True).merged
    assert fetched(clone).policy.bots == ("acme/*",)
    assert judged(clone, "feature/other") == []


def test_a_mend_cannot_take_other_lanes_for_its_own(clone):
    commit_to(clone, "dev", "ignor = []\n")
    changed(clone, "fix/settings", '[lanes]\ndev = "other"\ntest = "dev"\n')
    assert judged(clone, "fix/settings") == ["policy_broken"]
    assert judged(clone, "fix/settings", "other") == ["policy_broken"]


def test_what_git_cannot_read_is_not_taken_for_no_settings(clone):
    commit = commit_to(clone, "dev", 'baseline = "v1.0.0"\n')
    clone.git("fetch", "-q", "origin")
    blob = clone.git("rev-parse", f"{commit}:.flow.toml")
    (clone.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(FlowError):
        _ = clone.repository().policy


def test_a_link_in_place_of_the_file(clone):
    clone.git("switch", "-q", "dev")
    (clone.folder / ".flow.toml").symlink_to("readme.md")
    clone.git("add", ".flow.toml")
    clone.git("commit", "-qm", "Link")
    clone.push("dev")
    with pytest.raises(PolicyBroken):
        _ = fetched(clone).policy


def test_lanes_of_other_names_are_recognised_and_each_mend_mends(clone):
    renamed(clone, dev="develop", test="staging", main="master")
    clone.git("fetch", "-q", "--prune", "origin")
    with pytest.raises(RepositoryUnfit) as caught:
        fetched(clone).lane(DEV)
    assert caught.value.code == "lane_missing"
    assert "no branch dev, but develop for dev, staging for test, master for main" in caught.value.found
    keep, make = caught.value.mend
    assert keep == "genpulse flow install --lanes develop,staging,master"
    clone.shell(make)
    assert fetched(clone).lane(DEV).commit == clone.git("rev-parse", "origin/develop")


def test_a_lane_that_alone_is_called_otherwise(clone):
    renamed(clone, dev="develop")
    clone.git("fetch", "-q", "--prune", "origin")
    with pytest.raises(RepositoryUnfit) as caught:
        fetched(clone).lane(DEV)
    assert caught.value.mend[0] == "genpulse flow install --lanes develop,test,main"

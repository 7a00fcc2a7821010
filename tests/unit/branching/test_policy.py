"""What may stand in `.flow.toml`, and what is said of what may not."""

import pytest

from genpulse.branching.errors import PolicyBroken
from genpulse.branching.rules.model import allowed
from genpulse.branching.rules.names import is_bot, kind_of, name_refusal
from genpulse.branching.rules.policy import DEFAULT, Approval, LaneNames, Policy
from genpulse.branching.rules.table import DEV, FEATURE, FIX, MAIN, TEST
from genpulse.branching.rules.versions import Version
from genpulse.branching.settings.file import parse

EVERYTHING = """
ignore = ["gh-pages", "release/*"]
bots = ["acme-bot/*"]
into_dev = ["chore/*"]
baseline = "v1.2.3"
signed_since = "1.3.0"

[approval]
by = "status"
status = "qa/accepted"

[lanes]
dev = "develop"
test = "staging"
main = "master"
"""


def test_everything_that_may_stand_there():
    assert parse(EVERYTHING) == Policy(
        ignore=("gh-pages", "release/*"),
        bots=("acme-bot/*",),
        into_dev=("chore/*",),
        baseline=Version(1, 2, 3),
        signed_since=Version(1, 3, 0),
        approval=Approval("status", "qa/accepted"),
        names=LaneNames("develop", "staging", "master"),
    )


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "ignore = []\n", "[lanes]\n"])
def test_an_empty_file_is_the_default(text):
    assert parse(text) == DEFAULT


@pytest.mark.parametrize("by", ["person", "signature"])
def test_an_approval_by_a_tag(by):
    assert parse(f'[approval]\nby = "{by}"').approval == Approval(by)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ignore = [", "it is no TOML"),
        ("ignor = []", "'ignor' is no setting; there are ignore, .* Did you mean ignore?"),
        ("xyz = 1", "'xyz' is no setting; there are"),
        ('ignore = "gh-pages"', "ignore is 'gh-pages'; it has to be a list of patterns"),
        ("bots = [1]", r"bots is \[1\]; it has to be a list"),
        ('bots = [""]', "has to be a list of patterns"),
        ('into_dev = ["*"]', r"'\*' in into_dev takes in dev, which the flow guards"),
        ('ignore = ["ma*"]', "in ignore takes in main"),
        ('bots = ["feature/*"]', "in bots takes in feature/x"),
        ("baseline = 1.2", "baseline is 1.2; it has to be a release"),
        ('baseline = "v1.2.3-rc.1"', "has to be a release"),
        ('baseline = "latest"', "has to be a release"),
        ("signed_since = true", "signed_since is True; it has to be a release"),
        ("approval = true", "approval is True; it has to be a table"),
        ("[approval]", "by in .approval. is missing; it has to be one of person, signature, status"),
        ('[approval]\nby = "me"', "is 'me'; it has to be one of"),
        ('[approval]\nby = ["person"]', "has to be one of"),
        ('[approval]\nby = "status"', "needs its name"),
        ('[approval]\nby = "person"\nstatus = "x"', "needs its name, and nothing else has one"),
        ('[approval]\nby = "person"\nwho = "x"', "'who' in .approval. is no setting"),
        ("lanes = []", "lanes is .*; it has to be a table"),
        ('[lanes]\ndevel = "x"', "'devel' in .lanes. is no setting.* Did you mean dev?"),
        ("[lanes]\ndev = 1", "dev in .lanes. is 1; a lane has a plain name"),
        ('[lanes]\ndev = "a/b"', "a plain name without"),
        ('[lanes]\ndev = "-x"', "a plain name without"),
        ('[lanes]\ndev = "feature"', "a plain name without"),
        ('[lanes]\ndev = "HEAD"', "a plain name without"),
        ('[lanes]\ndev = "main"', "two lanes have one name"),
    ],
)
def test_what_may_not_stand_there(text, said):
    with pytest.raises(PolicyBroken, match=said) as caught:
        parse(text, "on origin/dev")
    assert caught.value.code == "policy_broken"
    assert ".flow.toml on origin/dev" in caught.value.found
    assert "flow-settings.md" in caught.value.note


def test_lanes_are_the_models_whatever_they_are_called():
    policy = parse(EVERYTHING)
    dev, test, main = policy.lanes
    assert (dev, test, main) == (DEV, TEST, MAIN)
    assert [lane.pattern for lane in policy.lanes] == ["develop", "staging", "master"]
    assert (dev.merges_into, test.merges_into, main.merges_into) == ("staging", "master", "")
    assert (test.starts_from, main.starts_from) == (("develop",), ("staging",))
    assert policy.row(FEATURE).merges_into == "develop"
    assert DEFAULT.lanes == (DEV, TEST, MAIN)
    assert [lane.pattern for lane in DEFAULT.lanes] == ["dev", "test", "main"]


def test_the_rules_go_by_the_names_of_here():
    policy = parse(EVERYTHING)
    for head, base in (
        ("develop", "staging"),
        ("staging", "master"),
        ("feature/x", "develop"),
        ("chore/x", "develop"),
    ):
        assert allowed(head, base, policy=policy), (head, base)
    for head, base in (("dev", "staging"), ("develop", "master"), ("feature/x", "staging"), ("feature/x", "dev")):
        assert not allowed(head, base, policy=policy), (head, base)
    refusal = allowed("develop", "master", policy=policy).refusal
    assert refusal is not None
    assert "master only accepts staging" in refusal.rule
    assert "nobody works on it" in name_refusal("staging", policy=policy).rule


def test_what_is_ignored_bot_or_topic():
    policy = parse(EVERYTHING)
    assert kind_of("gh-pages", policy) is kind_of("release/1.x", policy) is None
    assert policy.is_ignored("release/1.x/deep")
    assert allowed("feature/x", "release/1.x", policy=policy)
    assert not allowed("gh-pages", "develop", policy=policy)
    assert is_bot("acme-bot/x", policy)
    assert not is_bot("acme-bot/x")
    assert allowed("acme-bot/x", "develop", policy=policy)
    assert not allowed("acme-bot/x", "staging", policy=policy)
    assert kind_of("chore/x", policy) == FEATURE
    assert kind_of("chore/x") is None
    assert name_refusal("chore/x", policy=policy) is None


@pytest.mark.parametrize(
    ("version", "before", "signed"),
    [
        (Version(1, 2, 2), True, False),
        (Version(1, 2, 3), True, False),
        (Version(1, 2, 3, 1), False, False),
        (Version(1, 2, 4), False, False),
        (Version(1, 3, 0, 1), False, True),
        (Version(1, 3, 0), False, True),
    ],
)
def test_baseline_and_signatures(version, before, signed):
    policy = parse(EVERYTHING)
    assert policy.is_from_before(version) is before
    assert policy.demands_signature(version) is signed
    assert not DEFAULT.is_from_before(version)
    assert not DEFAULT.demands_signature(version)


@pytest.mark.parametrize(
    "name",
    [
        "revert-12-feature/login",
        "revert-13-revert-12-feature/login",
        "revert-1-patch-1",
        "revert-7-dependabot/npm/x",
        "revert-abc123",
        "revert-0a1b2c3d",
        "cherry-pick-1234",
        "cherry-pick-0a1b2c3d",
        "patch-1",
        "ann-patch-1",
        "ann-b-patch-22",
        "dev-patch-73012",
    ],
)
def test_what_a_forges_buttons_make_is_a_fix(name):
    assert kind_of(name) == FIX
    assert allowed(name, "dev")
    assert not allowed(name, "test")
    assert not allowed(name, "main")


@pytest.mark.parametrize(
    "name", ["revert-", "revert-it", "revert-12-", "revert", "patch", "patch-x", "patch-1-more", "cherry-pick-xyz"]
)
def test_what_only_looks_like_it_is_not(name):
    assert kind_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "pre-commit-ci-update-config",
        "changeset-release/main",
        "snyk-fix-0123",
        "snyk-upgrade-abc",
        "copilot/fix-12",
        "claude/issue-3",
        "all-contributors/add-ann",
        "dependabot/pip/x",
        "renovate/all",
        "release-please--branches--dev",
        "create-pull-request/patch",
    ],
)
def test_programs_that_are_known(name):
    assert is_bot(name)
    assert allowed(name, "dev")
    assert not allowed(name, "main")
    assert not allowed(name, "dev", head_repo="fork/x", base_repo="own/x")

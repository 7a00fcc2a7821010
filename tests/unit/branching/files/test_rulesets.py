import re

import pytest

from genpulse.branching.files.rulesets import github_rulesets, gitlab_protection
from genpulse.branching.rules.names import kind_of
from genpulse.branching.rules.table import LANES


def matches(pattern, ref):
    """As GitHub matches: `**/` is any number of parts, any other star stays within one."""
    parts = re.split(r"(\*\*/|\*+)", pattern)
    sign = {"**/": "(?:[^/]+/)*"}
    text = "".join(sign.get(part, "[^/]*" if part.startswith("*") else re.escape(part)) for part in parts)
    return re.fullmatch(text, ref) is not None


def may_be_made(name):
    return any(
        matches(pattern, f"refs/heads/{name}")
        for pattern in github_rulesets()["names"]["conditions"]["ref_name"]["exclude"]
    )


@pytest.mark.parametrize(
    "name",
    [
        *(row.pattern for row in LANES),
        "feature/x",
        "feature/JIRA-123",
        "feature/team/x",
        "revert-12-feature/login",
        "revert-abc12345",
        "patch-1",
        "ann-patch-1",
        "fix/y.1",
        "dependabot/uv/aiohttp-3.14",
        "dependabot/npm_and_yarn/site/left-pad-2",
        "renovate/major-9",
        "release-please--branches--dev",
        "release-please--branches--dev--components--@scope/name",
        "gh-readonly-queue/dev/pr-7-abc",
    ],
)
def test_what_the_model_and_its_programs_call_a_branch_may_be_made(name):
    assert may_be_made(name)


@pytest.mark.parametrize("name", ["hotfix/x", "feature", "dev2", "develop", "main/x", "wip", "test/x"])
def test_no_other_branch_may_be_made(name):
    assert not may_be_made(name)
    assert kind_of(name) is None


def test_nothing_is_squashed_on_gitlab_and_no_lane_is_pushed_to():
    document = gitlab_protection()
    assert document["project"]["squash_option"] == "never"
    assert {row["name"]: row["push_access_level"] for row in document["protected_branches"]} == {
        row.pattern: 0 for row in LANES
    }

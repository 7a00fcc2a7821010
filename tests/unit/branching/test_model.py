from hypothesis import given
from hypothesis import strategies as st

from genpulse.branching.rules.model import BRANCHES, allowed, environment_of, kind_of
from genpulse.environment.table import DEVELOPMENT, PRODUCTION, TESTING

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
TOPICS = st.builds(lambda family, slug: f"{family}/{slug}", st.sampled_from(["feature", "fix"]), SLUGS)
LANES = st.sampled_from(["dev", "test", "main"])
ODD = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["hotfix/x", "feature", "feature/", "fix/..", "Feature/x", "DEV", "-f", "dev ", "", "refs/heads/x"]
    ),
)
NAMES = st.one_of(LANES, TOPICS, ODD)
STEPS = {("dev", "test"), ("test", "main")}


def is_topic(name: str) -> bool:
    return name.startswith(("feature/", "fix/")) and kind_of(name) is not None


@given(NAMES, NAMES)
def test_exactly_the_arrows_of_the_model_are_allowed(head, base):
    expected = (head, base) in STEPS or (base == "dev" and is_topic(head))
    assert bool(allowed(head, base)) is (expected or _same_by_full_name(head, base))


def _same_by_full_name(head: str, base: str) -> bool:
    head, base = head.removeprefix("refs/heads/"), base.removeprefix("refs/heads/")
    return (head, base) in STEPS or (base == "dev" and is_topic(head))


@given(NAMES, NAMES)
def test_a_full_name_means_the_same(head, base):
    short = (head.removeprefix("refs/heads/"), base.removeprefix("refs/heads/"))
    assert allowed(f"refs/heads/{short[0]}", f"refs/heads/{short[1]}") == allowed(*short)


@given(NAMES, NAMES)
def test_every_refusal_names_the_rule_what_was_found_and_what_mends_it(head, base):
    verdict = allowed(head, base)
    if not verdict:
        assert verdict.refusal is not None
        assert all((verdict.refusal.code, verdict.refusal.rule, verdict.refusal.found))
        assert verdict.refusal.mend or verdict.refusal.note
    else:
        assert verdict.rule


@given(NAMES, NAMES)
def test_nothing_flows_out_of_main_nor_into_a_topic(head, base):
    assert not allowed("main", base)
    assert not (is_topic(base) and allowed(head, base))


@given(NAMES)
def test_from_a_fork_only_topics_come(head):
    forked = [base for base in ("dev", "test", "main") if allowed(head, base, head_repo="a/x", base_repo="b/x")]
    assert forked == (["dev"] if is_topic(head.removeprefix("refs/heads/")) else [])


@given(TOPICS | LANES)
def test_a_name_is_of_one_kind(name):
    row = kind_of(name)
    assert row is not None
    assert row.is_lane is ("/" not in name)
    assert [other for other in BRANCHES if other.is_lane and other.pattern == name] == (
        [row] if row.is_lane else []
    )


def test_programs_go_into_dev_only_and_only_from_here():
    for head in ("dependabot/pip/x-1", "renovate/x", "release-please--branches--dev"):
        assert allowed(head, "dev")
        assert not allowed(head, "test")
        assert not allowed(head, "main")
        assert not allowed(head, "dev", head_repo="fork/x", base_repo="own/x")


def test_a_repository_that_is_gone_is_a_fork_and_case_does_not_matter():
    assert not allowed("dev", "test", head_repo="", base_repo="own/x")
    assert allowed("dev", "test", head_repo="Own/X", base_repo="own/x")
    assert allowed("dev", "test")


def test_a_merge_queue_merges_into_its_own_branch():
    assert allowed("refs/heads/gh-readonly-queue/dev/pr-7-abc", "refs/heads/dev")
    assert not allowed("gh-readonly-queue/dev/pr-7-abc", "main")


def test_the_words_for_the_wrong_way():
    def rule(head: str, base: str) -> str:
        refusal = allowed(head, base).refusal
        assert refusal is not None
        return refusal.rule

    assert rule("feature/x", "test") == "A feature/* branch can only merge into dev, not test."
    assert rule("dev", "main") == "main only accepts test; dev must pass through test first."
    assert "flows back" in rule("test", "dev")
    assert "end of the way" in rule("main", "dev")
    assert "hotfix/… is not a branch type here" in rule("hotfix/x", "main")


def test_the_environment_of_a_ref():
    assert environment_of("refs/heads/main") is PRODUCTION
    assert environment_of("test") is TESTING
    assert environment_of("feature/x") is DEVELOPMENT
    assert environment_of("refs/tags/v1.0.0") is PRODUCTION
    assert environment_of("v1.0.0-rc.1") is TESTING
    for unknown in ("refs/tags/dev", "refs/heads/v1.0.0", "hotfix/x", "v1.0", ""):
        assert environment_of(unknown) is None


@given(st.text(max_size=30))
def test_any_text_is_judged(text):
    environment_of(text)
    allowed(text, "dev")


def test_a_fork_cannot_pass_for_the_merge_queue():
    assert not allowed("gh-readonly-queue/main/x", "main", head_repo="evil/fork", base_repo="o/r")
    assert allowed("gh-readonly-queue/main/x", "main", head_repo="o/r", base_repo="o/r")

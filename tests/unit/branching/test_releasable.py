import pytest

from genpulse.branching.errors import NameRefused, ReleaseRefused
from genpulse.branching.releases.releasable import VersionTag, may_release
from genpulse.branching.rules.versions import version_named


def tags(**trees: str) -> list[VersionTag]:
    return [VersionTag(version_named(name.replace("_", ".")), f"c-{name}", tree) for name, tree in trees.items()]


CANDIDATES = tags(v1_0_0rc1="aaa", v1_0_0rc2="bbb")


def test_the_tree_of_a_candidate_is_released_as_that_version():
    assert may_release("bbb", CANDIDATES).tag == "v1.0.0"
    assert may_release("aaa", CANDIDATES, "1.0.0").tag == "v1.0.0"


@pytest.mark.parametrize(
    ("tree", "known", "version", "words"),
    [
        ("zzz", CANDIDATES, None, r"main \(tree zzz\) is not the tree verified by v1.0.0-rc.2 \(tree bbb\)"),
        ("bbb", CANDIDATES, "2.0.0", "no release candidate of v2.0.0"),
        ("bbb", [], None, "no release candidate of any version"),
        ("bbb", [*CANDIDATES, *tags(v1_0_0="bbb")], "1.0.0", "v1.0.0 exists"),
        ("bbb", [*CANDIDATES, *tags(v1_0_0="bbb")], None, "v1.0.0 exists"),
        ("bbb", [*CANDIDATES, *tags(v1_1_0="ccc")], "v1.0.0", "below v1.1.0"),
        ("bbb", CANDIDATES, "1.0.0-rc.2", "v1.0.0-rc.2 is a release candidate"),
    ],
)
def test_what_is_not_released(tree, known, version, words):
    with pytest.raises(ReleaseRefused, match=words):
        may_release(tree, known, version)


def test_text_that_is_no_version():
    with pytest.raises(NameRefused):
        may_release("bbb", CANDIDATES, "latest")

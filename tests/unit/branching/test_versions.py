import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Package

from genpulse.branching.errors import NameRefused, ReleaseRefused
from genpulse.branching.rules.versions import Version, next_candidate, version_named, version_of

NUMBERS = st.integers(0, 30)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS, st.none() | st.integers(1, 30))


@given(VERSIONS)
def test_a_tag_is_read_as_it_is_written(version):
    assert version_of(version.tag) == version
    assert version_named(version.tag) == version_named(str(version)) == version_named(version.pep440) == version


@given(st.lists(VERSIONS))
def test_the_order_is_that_of_python_packages(versions):
    assert [v.pep440 for v in sorted(versions)] == [
        v.pep440 for v in sorted(versions, key=lambda version: Package(version.pep440))
    ]


def test_ten_is_above_nine_and_a_release_above_its_candidates():
    tags = ["v1.0.0", "v1.0.0-rc.10", "v1.0.0-rc.9", "v0.9.0", "v1.0.0-rc.1"]
    random.Random(1).shuffle(tags)
    found = sorted(version for tag in tags if (version := version_of(tag)))
    assert [version.tag for version in found] == ["v0.9.0", "v1.0.0-rc.1", "v1.0.0-rc.9", "v1.0.0-rc.10", "v1.0.0"]


@pytest.mark.parametrize(
    "tag",
    ["1.0.0", "v1.0", "v1.0.0.0", "v01.0.0", "v1.0.0-rc.0", "v1.0.0-rc1", "v1.0.0-RC.1", "v1.0.0\n", "v\u0661.0.0",
     "v", "v1.0.0-rc.01", "v9999999999.0.0", "vv1.0.0", "v1.0.0-beta.1", ""],
)  # fmt: skip
def test_what_is_no_version_tag(tag):
    assert version_of(tag) is None


@pytest.mark.parametrize(
    "text", ["", "x", "1.0.0a1", "1.0.0.post1", "1.0.0.dev1", "1!1.0.0", "1.0.0+x", "1.2.3.4", "-1"]
)
def test_what_is_no_version(text):
    with pytest.raises(NameRefused, match="no version"):
        version_named(text)


def test_a_short_version_is_filled_up():
    assert version_named("1.2") == Version(1, 2, 0)


@given(st.lists(VERSIONS, max_size=8))
def test_the_next_candidate_is_new_and_above_every_release(versions):
    tags = [version.tag for version in versions]
    found = next_candidate(tags)
    assert found.tag not in tags
    assert all(found.final > version for version in versions if version.candidate is None)
    assert next_candidate([*tags, found.tag]) == Version(
        found.major, found.minor, found.patch, found.candidate + 1
    )


def test_the_next_candidate():
    assert next_candidate([]).tag == "v0.1.0-rc.1"
    assert next_candidate(["v1.0.0"]).tag == "v1.1.0-rc.1"
    assert next_candidate(["v1.0.0", "v1.1.0-rc.9", "v1.1.0-rc.10"]).tag == "v1.1.0-rc.11"
    assert next_candidate(["v1.0.0-rc.4", "v1.0.0"]).tag == "v1.1.0-rc.1"
    assert next_candidate(["v1.0.0", "other"], Version(2, 0, 0)).tag == "v2.0.0-rc.1"


@pytest.mark.parametrize(("wanted", "words"), [("1.0.0", "v1.0.0 exists"), ("0.9.0", "below v1.0.0")])
def test_a_version_neither_comes_twice_nor_goes_back(wanted, words):
    with pytest.raises(ReleaseRefused, match=words):
        next_candidate(["v1.0.0"], version_named(wanted))

"""The stamp of a build."""

from importlib.metadata import version

import pytest

from genpulse.environment.build_info import (
    BrokenBuildInfo,
    Build,
    product_version,
    read_build_info,
    write_build_info,
)

FINAL = Build("1.2.3", "a" * 40, "b" * 40, "v1.2.3")


def test_what_was_written_is_read(tmp_path):
    write_build_info(FINAL, tmp_path / "build.json")
    assert read_build_info(tmp_path / "build.json") == FINAL
    assert [file.name for file in tmp_path.iterdir()] == ["build.json"]


def test_a_work_tree_has_none(tmp_path):
    assert read_build_info(tmp_path / "build.json") is None


def test_the_version_is_that_of_the_tag_and_of_the_package_without_a_stamp(tmp_path):
    assert product_version(tmp_path / "build.json") == version("genpulse")
    write_build_info(FINAL, tmp_path / "build.json")
    assert product_version(tmp_path / "build.json") == "1.2.3"


@pytest.mark.parametrize("text", ["", "[]", '{"version": "1"}', '{"commit": 1'])
def test_a_stamp_that_is_broken(tmp_path, text):
    (tmp_path / "build.json").write_text(text)
    with pytest.raises(BrokenBuildInfo, match="build the image again"):
        read_build_info(tmp_path / "build.json")


@pytest.mark.parametrize("tag", ["", "v1.2.3-rc.1", "1.2.3", "v1.2", "v01.2.3", "v1.2.3+x"])
def test_what_is_not_final(tag):
    assert not Build("1.2.3", "a" * 40, "b" * 40, tag).is_final


def test_a_final_tag_with_changes_is_not_final():
    assert FINAL.is_final
    assert not Build("1.2.3", "a" * 40, "b" * 40, "v1.2.3", dirty=True).is_final
    assert str(FINAL) == FINAL.label == "v1.2.3, commit aaaaaaaaaa"


def test_whose_it_is_and_what_everybody_may_know():
    build = Build("1.2.3", "a" * 40, "b" * 40, "v1.2.3", dirty=True, repository="https://example.com/shop.git")
    assert build.label == "v1.2.3, commit aaaaaaaaaa, with changes besides"
    assert str(build) == f"{build.label}, of https://example.com/shop.git"

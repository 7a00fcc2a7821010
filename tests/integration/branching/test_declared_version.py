"""The version that a package declares and its tag agree."""

import json

import pytest

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.releases.declared_version import declared_at
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.releases.version_bump import bump
from genpulse.branching.rules.versions import Version
from tests.integration.branching.clones import moved
from tests.integration.branching.test_policy import commit_to

PYPROJECT = (
    '[build-system]\nrequires = ["x"]\n\n[project]\nname = "x"\nversion = "{0}"\n\n[tool.x]\nversion = "7"\n'
)
POETRY = '[tool.poetry]\nname = "x"\nversion = "{0}"\n'
CARGO = '[package]\nname = "x"\nversion = "{0}"\n\n[dependencies]\ny = {{ version = "3" }}\n'
PACKAGE = '{{\n  "name": "x",\n  "version": "{0}",\n  "config": {{"version": "9"}}\n}}\n'
FILES = {"pyproject.toml": PYPROJECT, "Cargo.toml": CARGO, "package.json": PACKAGE}


def declared(clone, text, file="pyproject.toml"):
    clone.merged(f"feature/{file.replace('/', '-')}", file, text)
    moved(clone, "test")


@pytest.mark.parametrize(("file", "text"), [*FILES.items(), ("pyproject.toml", POETRY)])
def test_a_candidate_of_another_version_is_refused_and_each_mend_mends(clone, file, text):
    declared(clone, text.format("1.2.0"), file)
    with pytest.raises(ReleaseRefused) as caught:
        tag_candidate(clone.repository(), "1.3.0")
    assert caught.value.code == "declared_version_differs"
    assert caught.value.found == f"{file} declares 1.2.0, and the tag would be v1.3.0-rc.1."
    assert caught.value.mend == ("genpulse flow rc --version 1.2.0", "genpulse flow rc --version 1.3.0 --bump")
    assert clone.git("ls-remote", "--tags", "origin") == ""
    done = bump(clone.repository(), "1.3.0", merge=True)
    assert done.files == (file,)
    moved(clone, "test")
    assert tag_candidate(clone.repository(), "1.3.0").tag == "v1.3.0-rc.1"
    assert (clone.folder / file).read_text() == text.format("1.3.0")
    moved(clone, "main")
    assert release(clone.repository()).tag == "v1.3.0"


def test_what_is_declared_is_what_is_tagged_next(clone):
    declared(clone, PYPROJECT.format("2.0.0"))
    assert tag_candidate(clone.repository()).tag == "v2.0.0-rc.1"


def test_files_that_contradict_each_other(clone):
    declared(clone, PYPROJECT.format("2.0.0"))
    declared(clone, PACKAGE.format("2.1.0"), "package.json")
    with pytest.raises(
        ReleaseRefused, match=r"package\.json declares 2\.1\.0, and the tag would be v2\.0\.0-rc\.1"
    ):
        tag_candidate(clone.repository(), "2.0.0")
    bump(clone.repository(), "2.0.0", merge=True)
    moved(clone, "test")
    assert tag_candidate(clone.repository()).tag == "v2.0.0-rc.1"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[project]\nname = "x"\ndynamic = ["version"]\n'),
        ("pyproject.toml", "[project\n"),
        ("pyproject.toml", PYPROJECT.format("0.0.0")),
        ("package.json", '{"private": true, "version": "1.0.0"}'),
        ("package.json", "[]"),
        ("package.json", '{"name": "x"}'),
        ("Cargo.toml", "[package]\nversion.workspace = true\n"),
        ("other.toml", PYPROJECT.format("1.2.0")),
        ("deep/pyproject.toml", PYPROJECT.format("1.2.0")),
    ],
)
def test_what_declares_nothing(clone, file, text):
    assert declared_at(clone.repository(), clone.commit(file, text)) == ()


def test_what_declares_nothing_agrees_with_everything(clone):
    declared(clone, PYPROJECT.format("0.0.0"))
    assert tag_candidate(clone.repository(), "5.0.0").tag == "v5.0.0-rc.1"


@pytest.mark.parametrize("said", ["1.2.0.dev0", "1.2.0rc1", "1.2", "nonsense"])
def test_what_is_no_release_does_not_agree(clone, said):
    declared(clone, PYPROJECT.format(said))
    with pytest.raises(ReleaseRefused, match="declares") as caught:
        tag_candidate(clone.repository(), "1.3.0")
    assert caught.value.mend[-1] == "genpulse flow rc --version 1.3.0 --bump"


def test_the_team_says_which_files_count(clone):
    commit_to(clone, "dev", 'declared_in = ["packages/a/package.json"]\n')
    declared(clone, PYPROJECT.format("1.0.0"))
    declared(clone, PACKAGE.format("3.0.0"), "packages/a/package.json")
    assert tag_candidate(clone.repository()).tag == "v3.0.0-rc.1"


def test_the_team_says_that_none_counts(clone):
    commit_to(clone, "dev", "declared_in = []\n")
    declared(clone, PYPROJECT.format("1.0.0"))
    assert tag_candidate(clone.repository(), "3.0.0").tag == "v3.0.0-rc.1"


def test_a_release_looks_too(clone):
    commit_to(clone, "dev", "declared_in = []\n")
    declared(clone, PYPROJECT.format("1.0.0"))
    tag_candidate(clone.repository(), "3.0.0")
    moved(clone, "main")
    clone.out("dev")
    clone.git("rm", "-q", ".flow.toml")
    clone.git("commit", "-qm", "Look at all of them")
    clone.push("dev")
    with pytest.raises(ReleaseRefused, match=r"declares 1\.0\.0, and the tag would be v3\.0\.0\."):
        release(clone.repository())


def test_a_bump_opens_a_branch_and_touches_nothing_here(clone):
    clone.merged("feature/p", "pyproject.toml", PYPROJECT.format("1.0.0"))
    clone.git("switch", "-q", "dev")
    (clone.folder / "readme.md").write_text("changed\n")
    before = clone.git("status", "--porcelain")
    done = bump(clone.repository(), "1.1.0")
    assert (done.merge.head, done.version, done.merge.opened) == ("fix/version-1.1.0", Version(1, 1, 0), False)
    assert clone.git("status", "--porcelain") == before
    assert clone.git("ls-remote", "origin", "refs/heads/fix/version-1.1.0").startswith(done.commit)
    clone.git("fetch", "-q", "origin")
    assert clone.git("diff", "--name-only", "origin/dev", done.commit) == "pyproject.toml"
    assert 'version = "1.1.0"\n\n[tool.x]\nversion = "7"' in clone.git("show", f"{done.commit}:pyproject.toml")
    assert clone.git("log", "-1", "--format=%s", done.commit) == "Set the version to 1.1.0"


def test_nothing_to_bump(clone):
    clone.merged("feature/p", "package.json", json.dumps({"version": "1.1.0"}))
    with pytest.raises(ReleaseRefused, match=r"nothing in dev declares another version than 1\.1\.0"):
        bump(clone.repository(), "1.1.0")

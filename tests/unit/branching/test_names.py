import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.branching.rules.names import clashes, is_reserved_for_branches, kind_of, name_refusal, slug_fault


@pytest.mark.parametrize("slug", ["x", "0", "login-page", "a.b_c-d", "x" * 200, "JIRA-123", "team/x", "a/B/c"])
def test_good_slugs(slug):
    assert not slug_fault(slug)


@pytest.mark.parametrize(
    ("slug", "fault"),
    [
        ("", "missing"),
        ("-x", "'-' is not allowed at the beginning"),
        (".x", "'.' is not allowed at the beginning"),
        ("a b", "' ' is not allowed there"),
        ('a"b', "'\"' is not allowed"),
        ("a'b", "is not allowed"),
        ("a//b", "a part between '/' is empty"),
        ("a/", "a part between '/' is empty"),
        ("a/-b", "'-' is not allowed at the beginning"),
        ("a.lock/b", ".lock"),
        ("Übung", "'Ü' is not allowed"),
        ("aé", "'é' is not allowed"),
        ("a\nb", "is not allowed"),
        ("a\n", "is not allowed"),
        ("a$(x)", "'$' is not allowed"),
        ("a..b", "range"),
        ("a.", "dot"),
        ("a.lock", ".lock"),
        ("٣", "is not allowed"),
        ("x" * 201, "201 characters"),
    ],
)
def test_bad_slugs_and_why(slug, fault):
    assert fault in slug_fault(slug)
    assert kind_of(f"feature/{slug}") is None
    assert name_refusal(f"feature/{slug}") is not None


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")), min_size=1, max_size=12))
def test_git_takes_every_name_that_is_taken_here(slug):
    if slug_fault(slug) or "\0" in slug:
        return
    done = subprocess.run(
        ["git", "check-ref-format", "--branch", f"feature/{slug}"], capture_output=True, check=False
    )
    assert done.returncode == 0


@given(st.text(max_size=20))
def test_the_proposed_name_is_a_good_one(text):
    refusal = name_refusal(f"feature/{text}")
    if refusal is not None:
        (proposed,) = refusal.mend or (refusal.note,)
        proposed = proposed.removeprefix("genpulse flow start ")
        assert proposed == "feature/<name>" or name_refusal(proposed) is None


def test_other_families_are_refused_with_a_proposal():
    hotfix = name_refusal("hotfix/pay", "the last verified tag v1.2.2")
    assert hotfix is not None
    assert hotfix.mend == ("genpulse flow start fix/pay",)
    assert "the last verified tag v1.2.2" in hotfix.note
    for name, mend in {
        "bugfix/x": "genpulse flow start fix/x",
        "feat/x": "genpulse flow start feature/x",
        "x": "genpulse flow start feature/x",
        "-f": "genpulse flow start feature/f",
        "dev": "genpulse flow start feature/<name>",
    }.items():
        refusal = name_refusal(name)
        assert refusal is not None
        assert "\n".join((*refusal.mend, refusal.note)).strip() == mend


def test_names_that_cannot_stand_side_by_side():
    assert clashes("feature/x", ["feature", "feature/y", "feature/x/y", "fix"]) == ("feature", "feature/x/y")
    assert clashes("feature/x", ["feature/x", "feature/xy"]) == ()


def test_tags_that_look_like_branches():
    assert all(map(is_reserved_for_branches, ["dev", "test", "main", "feature", "feature/x", "fix/1", "dev/x"]))
    assert not any(map(is_reserved_for_branches, ["v1.0.0", "v1.0.0-rc.1", "tested", "devel"]))

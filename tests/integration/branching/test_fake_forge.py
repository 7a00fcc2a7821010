"""The forge that the other tests work on holds people to what `genpulse flow install` wrote."""

import json

import pytest

from genpulse.branching.files import plan
from tests.integration.branching.fake_forge.forge import NotTaken


def topic(person, name="feature/x", file="x.txt"):
    person.fetch()
    person.on(name, "origin/dev")
    person.commit(file)
    person.git("push", "-q", "origin", name)


@pytest.mark.parametrize(
    ("who", "lane"),
    [
        ("ann", "dev"),
        ("bob", "test"),
        ("bob", "main"),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in (("bob", "dev"), ("ann", "test"), ("ann", "main"))
        ),
    ],
)
def test_nobody_pushes_to_a_lane(company, who, lane):
    person = company.people[who]
    person.on(lane)
    person.commit("x.txt")
    for push in (f"HEAD:{lane}", f"+$(git commit-tree -m Other HEAD^{{tree}}):{lane}", f":{lane}"):
        done = person.shell(f"git push origin {push}")
        assert done.returncode == 1, push
        assert "rejected" in done.stderr


@pytest.mark.parametrize(("who", "ends"), [("ann", 0), ("bob", 1)])
def test_versions_are_tagged_by_those_who_may(company, who, ends):
    person = company.people[who]
    assert person.shell("git tag -am x v1.0.0-rc.1 && git push origin v1.0.0-rc.1").returncode == ends
    assert person.shell("git tag nightly && git push origin nightly").returncode == 0


def test_a_topic_is_merged_when_its_check_is_green(company):
    ann = company.people["ann"]
    topic(ann)
    request = company.forge.open("feature/x", "dev")
    company.forge.merge(request, "ann", "squash" if company.forge.kind == "github" else "merge")
    ann.fetch()
    assert ann.git("cat-file", "-t", "origin/dev:x.txt") == "blob"


def test_a_merge_that_the_model_does_not_have_is_red(company):
    topic(company.people["bob"])
    request = company.forge.open("feature/x", "main")
    with pytest.raises(NotTaken, match=r"flow-check|pipeline must succeed"):
        company.forge.merge(request, "ann")


@pytest.mark.parametrize("method", ["squash", "rebase", "fast-forward"])
def test_promotions_are_merge_commits(company, method):
    topic(company.people["bob"])
    company.forge.merge(company.forge.open("feature/x", "dev"), "ann")
    with pytest.raises(NotTaken):
        company.forge.merge(company.forge.open("dev", "test"), "ann", method)
    assert company.forge.merge(company.forge.open("dev", "test"), "ann")


def test_update_branch_brings_the_base_into_the_head(company):
    bob = company.people["bob"]
    topic(bob)
    topic(bob, "feature/y", "y.txt")
    company.forge.merge(company.forge.open("feature/y", "dev"), "ann")
    request = company.forge.open("feature/x", "dev")
    company.forge.update_branch(request, "bob")
    assert company.forge.merge(request, "ann")


def test_the_rules_are_those_that_are_installed(company):
    folder = company.people["ann"].folder
    written = {file.path: file.content for file in plan(folder, company.forge.kind)}
    if company.forge.kind == "gitlab":
        assert company.forge.documents == json.loads(written[".gitlab/protection.json"])
    else:
        paths = [path for path in written if path.startswith(".github/rulesets/")]
        assert company.forge.documents == [json.loads(written[path]) for path in paths]
        assert len(paths) >= 4


def test_the_button_revert_takes_a_merge_back_by_a_pull_request(company):
    bob = company.bob
    topic(bob)
    request = company.forge.open("feature/x", "dev")
    company.forge.merge(request, "ann")
    company.forge.merge(company.forge.revert(request, "bob"), "ann")
    bob.fetch()
    assert bob.git("ls-tree", "--name-only", "origin/dev").split() == ["readme.md"]
    company.merge("dev", "test")
    assert bob.flow("status", "--fetch", "--json").returncode == 0

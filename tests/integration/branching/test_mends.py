"""Every mend that is printed is run, word for word and to its end, and what people wrote is still there."""

import re

import pytest

from genpulse.branching.errors import FlowError
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.table import MAIN, TEST
from genpulse.branching.status import read_state
from genpulse.branching.topics.finish import finish
from tests.integration.branching.walk.team import Work

DESTROYS = re.compile(
    r"(?<!--atomic )--force|-f\b|push(?! --atomic).* :|--delete|reset --hard|branch -D|^git tag -d"
)
"""An atomic push that gives another name to what it takes away destroys nothing."""


def topic(team, who, name, *, pushed=True):
    who.fetch()
    who.on(name, "origin/dev")
    commit = team.write(who)
    if pushed:
        team.push(who, f"HEAD:refs/heads/{name}")
    return commit


def merged(team, who, name, lane):
    """By hand, with a merge commit, and pushed."""
    who.fetch()
    who.git("switch", "-q", "--detach", f"origin/{lane}")
    who.git("merge", "-q", "--no-ff", "-m", f"Merge {name} into {lane}", f"origin/{name}")
    assert team.push(who, f"HEAD:refs/heads/{lane}")


def released(team):
    topic(team, team.people["bob"], "feature/first")
    for name, lane in (("feature/first", "dev"), ("dev", "test")):
        merged(team, team.people["bob"], name, lane)
    ann = team.people["ann"]
    ann.fetch()
    ann.git("tag", "-am", "x", "v0.1.0-rc.1", "origin/test")
    ann.git("push", "-q", "origin", "v0.1.0-rc.1")
    merged(team, ann, "test", "main")
    ann.fetch()
    ann.git("tag", "-am", "x", "v0.1.0", "origin/main")
    ann.git("push", "-q", "origin", "v0.1.0")


def over(lane):
    def happen(team):
        bob = team.people["bob"]
        topic(team, bob, "feature/oops")
        merged(team, bob, "feature/oops", lane)
        bob.git("switch", "-q", "feature/oops")

    return happen


def gone_on(team):
    """After the mistake the work goes on."""
    bob = team.people["bob"]
    team.write(bob)
    team.push(bob, "HEAD:refs/heads/feature/oops")


def forwarded(team):
    bob = team.people["bob"]
    topic(team, bob, "feature/oops")
    ann = team.people["ann"]
    ann.fetch()
    ann.git("push", "-q", "origin", "+refs/remotes/origin/feature/oops:refs/heads/test")


def stray(lane, *, tagged=False):
    def happen(team):
        ann = team.people["ann"]
        ann.fetch()
        ann.git("switch", "-q", "--detach", f"origin/{lane}")
        team.write(ann, "Repair")
        if tagged:
            ann.git("tag", "-am", "x", "v0.1.1")
            ann.git("push", "-q", "origin", "v0.1.1")
        team.push(ann, f"HEAD:refs/heads/{lane}")

    return happen


def squashed(method):
    """Years of promotions that were no merge commits."""

    def happen(team):
        ann = team.people["ann"]
        for number in range(3):
            topic(team, ann, f"feature/y{number}")
            merged(team, ann, f"feature/y{number}", "dev")
            for head, base in (("dev", "test"), ("test", "main")):
                team.forge.merge(team.forge.open(head, base), "ann", method)

    return happen


def altered(team):
    ann = team.people["ann"]
    topic(team, ann, "feature/second")
    merged(team, ann, "feature/second", "dev")
    ann.fetch()
    ann.git("switch", "-q", "--detach", "origin/test")
    ann.git("merge", "-q", "--no-ff", "--no-commit", "origin/dev")
    team.write(ann, "Merge dev into test")
    team.push(ann, "HEAD:refs/heads/test")


def amended(*, with_colleague):
    def happen(team):
        bob, cid = team.people["bob"], team.people["cid"]
        topic(team, bob, "feature/shared")
        if with_colleague:
            cid.fetch()
            cid.on("feature/shared")
            team.write(cid)
            assert team.push(cid, "HEAD:refs/heads/feature/shared")
        (bob.folder / "more.txt").write_text("more\n")
        bob.git("add", "more.txt")
        bob.git("commit", "-q", "--amend", "-m", "Said better", "--date", "2001-01-01T00:00:00+0000")
        bob.git("commit", "-q", "--amend", "--no-edit", "--date", "now")

    return happen


def both_went_on(team):
    bob, cid = team.people["bob"], team.people["cid"]
    topic(team, bob, "feature/shared")
    cid.fetch()
    cid.on("feature/shared")
    team.write(cid)
    assert team.push(cid, "HEAD:refs/heads/feature/shared")
    team.write(bob)


def from_main(*, pushed):
    def happen(team):
        bob = team.people["bob"]
        bob.fetch()
        bob.git("switch", "-qc", "feature/wrong", "--no-track", "origin/main")
        team.write(bob)
        if pushed:
            team.push(bob, "HEAD:refs/heads/feature/wrong")

    return happen


def main_inside(team):
    bob = team.people["bob"]
    topic(team, bob, "feature/wrong")
    bob.git("merge", "-q", "--no-ff", "-m", "Merge main", "origin/main")
    team.write(bob)
    team.push(bob, "HEAD:refs/heads/feature/wrong")


def stranger(name, *, orphan=False):
    def happen(team):
        ann = team.people["ann"]
        ann.fetch()
        ann.git("switch", "-q", "--orphan" if orphan else "-c", "site")
        team.write(ann)
        team.push(ann, f"HEAD:refs/heads/{name}")
        ann.git("switch", "-q", "dev")
        ann.git("branch", "-qD", "site")

    return happen


def tag_like_branch(team):
    ann = team.people["ann"]
    ann.git("switch", "-q", "--detach", "origin/dev")
    team.write(ann)
    ann.git("tag", "feature/old")
    team.push(ann, "refs/tags/feature/old")
    ann.git("switch", "-q", "dev")


def tag_moved(team):
    """Somebody moved a release's tag on the remote; the good one is in the others' clones."""
    for who in team.people.values():
        who.fetch()
    cid = team.people["cid"]
    team.works.append(Work("bob", "tag v0.1.0", team.people["bob"].git("rev-parse", "refs/tags/v0.1.0")))
    cid.git("tag", "-d", "v0.1.0")
    cid.git("tag", "-am", "Moved", "v0.1.0", "origin/dev")
    assert team.push(cid, "+refs/tags/v0.1.0")


def tag_deleted(team):
    for who in team.people.values():
        who.fetch()
    team.works.append(Work("bob", "tag v0.1.0", team.people["bob"].git("rev-parse", "refs/tags/v0.1.0")))
    assert team.push(team.people["cid"], ":refs/tags/v0.1.0")


OVER_TEST = over("test")
SITUATIONS = {
    "a topic merged into test": (released, OVER_TEST),
    "a topic merged into main": (released, over("main")),
    "a topic merged into test that went on": (released, OVER_TEST, gone_on),
    "test forced to a topic": (released, forwarded),
    "a commit on test": (released, stray("test")),
    "a commit on main": (released, stray("main")),
    "a hotfix on main with a tag": (released, stray("main", tagged=True)),
    "three years of squashes": (squashed("squash"),),
    "three years of rebases": (squashed("rebase"),),
    "a promotion with a change": (released, altered),
    "an amended topic": (amended(with_colleague=False),),
    "an amended topic with a colleague's commit": (amended(with_colleague=True),),
    "a topic on which both went on": (both_went_on,),
    "a topic from main": (released, from_main(pushed=False)),
    "a published topic from main": (released, from_main(pushed=True)),
    "main merged into a topic": (released, main_inside),
    "a stranger": (stranger("wip"),),
    "a published site": (stranger("gh-pages", orphan=True),),
    "an old line of releases": (stranger("release/1.x"),),
    "a tag named like a branch": (tag_like_branch,),
    "a release's tag moved on the remote": (released, tag_moved),
    "a release's tag deleted on the remote": (released, tag_deleted),
}


def told(team, who):
    """All that this person is told at the moment: by status, finish, promote and verify."""
    who.git("fetch", "-q", "--prune", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    who.git("fetch", "-q", "origin", ok=(0, 1))
    repository = who.repository()
    found = list(read_state(repository).violations)
    asked = [lambda: plan_promotion(repository, TEST), lambda: plan_promotion(repository, MAIN)]
    asked.append(lambda: Verifier(repository).verify())
    if (repository.refs.current or "").startswith(("feature/", "fix/")):
        asked.insert(0, lambda: finish(repository, merge=True))
    for verb in asked:
        try:
            verb()
        except FlowError as error:
            found.append(error.refusal)
    return list(dict.fromkeys(found))


SOME_SITUATIONS = [
    situation if number % 3 == 0 else pytest.param(situation, marks=pytest.mark.slow)
    for number, situation in enumerate(SITUATIONS)
]
"""A third of them; all where there is time for it (`make test-slow`)."""


@pytest.mark.parametrize("situation", SOME_SITUATIONS)
@pytest.mark.parametrize("name", ["ann", pytest.param("bob", marks=pytest.mark.slow)])
def test_no_way_loses_anything(shelf, tmp_path, situation, name):
    asked = shelf.team(tmp_path / "asked", *SITUATIONS[situation])
    ways = [way for refusal in told(asked, asked.people[name]) for way in refusal.mend]
    for number, way in enumerate(ways):
        team = asked.copied(tmp_path / str(number))
        done = team.people[name].shell(way)
        assert not team.lost(), f"{way}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize(
    "name", ["ann", pytest.param("bob", marks=pytest.mark.slow), pytest.param("cid", marks=pytest.mark.slow)]
)
def test_what_destroys_is_never_the_first_way(shelf, tmp_path, situation, name):
    team = shelf.team(tmp_path, *SITUATIONS[situation])
    for refusal in told(team, team.people[name]):
        for first in refusal.mend[:1]:
            assert not DESTROYS.search(first), str(refusal)


@pytest.mark.parametrize("situation", SOME_SITUATIONS)
def test_the_first_ways_lead_out(shelf, tmp_path, situation):
    """Whoever does what is printed first, again and again, ends where nothing is wrong any more."""
    team = shelf.team(tmp_path, *SITUATIONS[situation])
    bob, done = team.people["bob"], []
    for _ in range(12):
        open_ones = [refusal for refusal in told(team, bob) if refusal.code not in _GOES_ON]
        ways = [way for refusal in open_ones for way in refusal.mend[:1]]
        if not ways:
            break
        way = next((way for way in ways if way not in done), ways[0])
        assert done.count(way) < 2, f"{way} again and again: {done}"
        bob.shell(way)
        done.append(way)
        assert not team.lost(), done
    assert all(refusal.code == "stranger_branch" for refusal in open_ones), f"{open_ones} after {done}"


_GOES_ON = {"nothing_to_promote", "nothing_to_merge", "candidate_missing", "release_missing", "version_exists"}
"""What is told of a repository in which nothing is wrong."""


def test_the_ways_say_the_lanes_by_their_own_names(shelf, tmp_path):
    team = shelf.team(tmp_path)
    ann = team.people["ann"]
    ann.commit(".flow.toml", '[lanes]\ndev = "develop"\ntest = "staging"\nmain = "master"\n')
    team.push(ann, "HEAD:refs/heads/develop", "origin/test:refs/heads/staging", "origin/main:refs/heads/master")
    team.forge.git("symbolic-ref", "HEAD", "refs/heads/develop")
    team.push(ann, ":refs/heads/dev", ":refs/heads/test", ":refs/heads/main")
    ann.fetch()
    ann.git("switch", "-q", "--detach", "origin/master")
    team.write(ann, "Repair")
    team.push(ann, "HEAD:refs/heads/master")
    done = []
    for _ in range(4):
        ann.fetch()
        ways = [refusal.mend[0] for refusal in read_state(ann.repository()).violations]
        if not ways:
            break
        assert ann.shell(ways[0]).returncode == 0, ways[0]
        done.append(ways[0])
    assert done == ["genpulse flow backmerge master --merge", "genpulse flow promote staging --merge"]
    ann.git("switch", "-q", "dev")
    assert ann.flow("start", "fix/found", "--from-test").returncode == 0
    team.write(ann)
    assert ann.flow("finish", "--merge").returncode == 0
    assert ann.flow("promote", "staging", "--only", "fix/found", "--merge").returncode == 0
    assert not team.lost()

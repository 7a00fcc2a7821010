"""What people do by mistake, by habit, or with a button of the forge."""

from genpulse.branching.releases.withdrawal import withdraw
from genpulse.branching.rules.versions import version_of
from tests.integration.branching.walk.legal import begin, on_topic, pressed, settle


def stray(team, who, pick):
    """A commit on a lane."""
    lane = ("test", "main", "dev")[pick % 3]
    detached(who, f"origin/{lane}")
    team.write(who, f"Repair {lane}")
    team.push(who, f"HEAD:refs/heads/{lane}")
    back(who)


def over(team, who, pick):
    """A topic merged into test or main."""
    if topics := team.topics(who):
        lane, topic = ("test", "main")[pick % 2], topics[pick % len(topics)]
        detached(who, f"origin/{lane}")
        if who.shell(f"git merge -q --no-ff -m 'Merge {topic}' origin/{topic}").returncode == 0:
            team.push(who, f"HEAD:refs/heads/{lane}")
        back(who)


def squashed(team, who, pick):
    """A promotion by another method than a merge commit."""
    head, base = (("dev", "test"), ("test", "main"))[pick % 2]
    if team.forge.tip(head) != team.forge.tip(base):
        pressed(team, team.forge.open(head, base), who, ("squash", "rebase")[pick // 2 % 2])


def forwarded(team, who, pick):
    """A lane pushed to where the one before it is."""
    head, base = (("dev", "test"), ("test", "main"))[pick % 2]
    who.fetch()
    team.push(who, f"refs/remotes/origin/{head}:refs/heads/{base}")


def levelled(team, who, pick):
    """Test or main merged into dev, as "Update branch" does it."""
    lane = ("test", "main")[pick % 2]
    detached(who, "origin/dev")
    if who.shell(f"git merge -q --no-ff -m 'Merge {lane} into dev' origin/{lane}").returncode == 0:
        team.push(who, "HEAD:refs/heads/dev")
    back(who)


def from_main(team, who, pick):
    """A topic that is cut from main or test."""
    detached(who, f"origin/{('main', 'test')[pick % 2]}")
    who.git("switch", "-qc", f"feature/{who.name}{len(team.works)}")
    team.write(who)


def main_inside(team, who, pick):
    """A lane merged into a topic."""
    if on_topic(who):
        who.fetch()
        who.shell(f"git merge -q -m 'Merge a lane' origin/{('main', 'test', 'dev')[pick % 3]}")
        settle(who)


def amend(team, who, pick):
    """One's own last commit is written anew, with one file more."""
    if on_topic(who) and who.git("log", "-1", "--format=%an") == who.name.capitalize():
        parents = who.git("log", "-1", "--format=%P").split()
        if len(parents) == 1:
            team.write(who)
            who.git("reset", "-q", "--soft", "HEAD^")
            who.git("commit", "-q", "--amend", "--no-edit")


def carried(team, who, pick):
    """The newest commit of a lane is picked into a new fix."""
    lane = ("test", "main")[pick % 2]
    begin(team, who, 1)
    if on_topic(who):
        who.shell(f"git cherry-pick origin/{lane}")
        settle(who)


def wrong_candidate(team, who, pick):
    """A candidate that nobody tested: on dev, or here alone, or without author and date."""
    who.fetch()
    place = ("origin/dev", "origin/test", "origin/main")[pick % 3]
    name, how = f"v0.{pick % 9 + 1}.0-rc.{90 + pick % 9}", ("-am x", "-am x", "")[pick // 3 % 3]
    made = who.shell(f"git tag {how} {name} {place}").returncode == 0
    if made and pick % 2:
        team.push(who, f"refs/tags/{name}")


def wrong_release(team, who, pick):
    """A final tag by hand, on whatever is there."""
    who.fetch()
    name = f"v0.0.{len(team.works) + 1}"
    if who.shell(f"git tag -am x {name} origin/{('dev', 'test', 'main')[pick % 3]}").returncode == 0 and pick % 2:
        team.push(who, f"refs/tags/{name}")


def nightly(team, who, pick):
    """A tag that moves each night."""
    who.fetch()
    who.git("tag", "-f", "nightly", f"origin/{('dev', 'main')[pick % 2]}")
    team.push(who, "-f", "refs/tags/nightly")


def like_a_branch(team, who, pick):
    """A tag whose name is that of a branch, on a commit that only it has."""
    detached(who, "origin/dev")
    team.write(who)
    who.git("tag", "-f", f"feature/tag{pick % 5}")
    team.push(who, f"refs/tags/feature/tag{pick % 5}")
    back(who)


def stranger(team, who, pick):
    """A branch that the model does not have."""
    detached(who, "origin/dev")
    team.write(who)
    team.push(who, f"HEAD:refs/heads/{('gh-pages', 'release/1.x', 'wip')[pick % 3]}")
    back(who)


def revert(team, who, pick):
    """The newest merge in dev is taken back there."""
    detached(who, "origin/dev")
    parents = who.git("log", "-1", "--format=%P").split()
    option = "-m 1" if len(parents) > 1 else ""
    if parents and who.shell(f"git revert --no-edit {option} HEAD").returncode == 0:
        team.push(who, "HEAD:refs/heads/dev")
    settle(who)
    back(who)


def withdrawn(team, who, pick):
    """Some candidate is given up."""
    who.fetch()
    tags = [tag for tag in who.git("tag", "--list", "v*-rc.*").split() if version_of(tag)]
    if tags:
        team.tried(who, withdraw, who.repository(), tags[pick % len(tags)])


def tampered(team, who, pick):
    """A release's tag is moved or deleted on the remote. It does not hold until somebody brings it back."""
    if team.verified:
        tag = sorted(team.verified)[pick % len(team.verified)]
        who.fetch()
        other = who.git("rev-parse", "origin/dev")
        if team.push(who, f":refs/tags/{tag}" if pick % 2 else f"+{other}:refs/tags/{tag}"):
            team.tampered.add(tag)


def detached(who, place):
    settle(who)
    who.fetch()
    who.git("switch", "-q", "--detach", place)


def back(who):
    """Leave what was made on no branch under a name: it is its author's."""
    commit = who.git("rev-parse", "HEAD")
    who.git("update-ref", f"refs/heads/aside-{commit[:12]}", commit)
    who.shell("git switch -q -")
    if not who.git("symbolic-ref", "-q", "HEAD", ok=(0, 1)):
        who.git("switch", "-q", "dev")

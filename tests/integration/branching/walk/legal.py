"""What people do who keep to the model."""

from genpulse.branching.errors import FlowError
from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.rules.table import MAIN, TEST
from genpulse.branching.topics.finish import finish
from genpulse.branching.topics.start import start
from tests.integration.branching.fake_forge.forge import NotTaken


def begin(team, who, pick):
    name = f"{('feature', 'fix')[pick % 2]}/{who.name}{len(team.works)}"
    settle(who)
    if team.tried(who, start, who.repository(), name):
        team.write(who)


def work(team, who, pick):
    if not on_topic(who):
        begin(team, who, pick)
    team.write(who)


def share(team, who, pick):
    if name := on_topic(who):
        team.push(who, f"HEAD:refs/heads/{name}")


def bring(team, who, pick):
    settle(who)
    team.tried(who, finish, who.repository(), merge=True)


def button(team, who, pick):
    """A pull request of somebody's topic into dev, merged by one of the three methods."""
    if topics := team.topics(who):
        request = team.forge.open(topics[pick % len(topics)], "dev")
        pressed(team, request, who, ("merge", "squash", "rebase")[pick % 3])


def help_out(team, who, pick):
    """A commit on a colleague's branch."""
    if topics := team.topics(who):
        name = topics[pick % len(topics)]
        settle(who)
        kept_aside(who, name)
        who.on(name)
        team.write(who)
        team.push(who, f"HEAD:refs/heads/{name}")


def move(team, who, pick):
    """Promote dev to test."""
    repository = who.repository()
    if plan := team.tried(who, plan_promotion, repository, TEST):
        team.tried(who, promote, repository, plan, merge=True)


def part(team, who, pick):
    """Promote an older state of dev, or one branch alone."""
    who.fetch()
    line = who.git("rev-list", "--first-parent", "--max-count=5", "origin/dev").split()
    topics = team.topics(who)
    which = {"only": topics[pick % len(topics)]} if pick % 2 and topics else {"at": line[pick % len(line)]}
    repository = who.repository()
    if plan := team.tried(who, plan_promotion, repository, TEST, **which):
        team.tried(who, promote, repository, plan, merge=True)


def mark(team, who, pick):
    settle(who)
    team.tried(who, tag_candidate, who.repository())


def ship(team, who, pick):
    """Promote to main and release. When the first passes, nothing may refuse the second."""
    repository = who.repository()
    plan = team.tried(who, plan_promotion, repository, MAIN)
    if not plan or not team.tried(who, promote, repository, plan, merge=True):
        return
    try:
        found = release(who.repository())
    except FlowError as error:
        raise AssertionError(f"main was promoted, and release refuses: {error}") from error
    team.verified[found.tag] = team.forge.git("rev-parse", f"refs/tags/{found.tag}")


def deliver(team, who, pick):
    """The whole way, as far as it goes."""
    bring(team, who, pick)
    for step in (move, mark, ship):
        step(team, who, pick)


def pressed(team, request, who, method):
    try:
        team.forge.merge(request, who.name, method)
    except NotTaken as error:
        team.trace.append(f"    the forge: {str(error)[:200]}")
        return False
    return True


def on_topic(who):
    name = who.git("symbolic-ref", "--short", "-q", "HEAD", ok=(0, 1))
    return name if name.startswith(("feature/", "fix/")) else ""


def settle(who):
    """Leave nothing half done: a merge or rebase that a mend began and that stopped."""
    for verb in ("rebase", "merge", "cherry-pick"):
        who.shell(f"git {verb} --abort")
    if who.git("status", "--porcelain"):
        who.git("stash", "-q", "-u")
        who.git("update-ref", f"refs/heads/aside-{who.git('rev-parse', '--short', 'stash@{0}')}", "stash@{0}")


def kept_aside(who, name):
    """A branch of this name here that has something of its own stays as another one."""
    here = who.git("rev-parse", "-q", "--verify", f"refs/heads/{name}", ok=(0, 1))
    if here and who.git("rev-list", here, "--not", "--remotes"):
        who.git("update-ref", f"refs/heads/aside-{here[:12]}", here)

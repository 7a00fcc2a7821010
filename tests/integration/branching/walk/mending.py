"""People do what they are told to do, in whatever clone they are."""

from genpulse.branching.errors import FlowError
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.status import read_state
from tests.integration.branching.walk.legal import settle


def mend_status(team, who, pick):
    """One of the ways out that `status` prints."""
    who.fetch()
    try:
        violations = read_state(who.repository()).violations
    except FlowError as error:
        violations = (error.refusal,)
    if violations:
        follow(team, who, violations[pick % len(violations)], pick)


def mend_refusal(team, who, pick):
    """One of the ways out of the last refusal."""
    mine = [told for told in team.told if told[0] == who.name]
    if mine:
        team.told.remove(mine[-1])
        follow(team, who, mine[-1][1], pick)


def mend_release(team, who, pick):
    """What `verify` says of a release."""
    if team.verified:
        tag = sorted(team.verified)[pick % len(team.verified)]
        repository = who.repository()
        if team.tried(who, lambda: (repository.fetch(), Verifier(repository).verify(tag))) is None:
            mend_refusal(team, who, pick)


def follow(team, who, refusal, pick):
    """Every printed way may be taken, and not the first alone."""
    settle(who)
    for command in refusal.mend[pick // 7 % max(1, len(refusal.mend)) :][:1]:
        if "<" in command:
            continue
        done = who.shell(command)
        said = (done.stdout + done.stderr).strip().replace("\n", "\n        ")
        team.trace.append(f"    mend: {command}\n        {done.returncode} {said[:400]}")
    settle(who)

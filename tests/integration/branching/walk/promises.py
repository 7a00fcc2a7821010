"""What holds whatever people do."""

from genpulse.branching.errors import FlowError
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.table import MAIN, TEST

_FORGE_SEES = {"nothing_to_promote", "merge_conflict"}
"""Refusals of `promote` that a gate does not repeat: a forge offers no such merge."""


def nothing_is_lost(team):
    lost = team.lost()
    assert not lost, f"no ref has {lost} any more"


def releases_stay_verified(team):
    """For everybody: each clone, and one that has just been made. What was tampered with does once it is back."""
    there = {
        tag: team.forge.git("rev-parse", "-q", "--verify", f"refs/tags/{tag}", ok=(0, 1)) for tag in team.verified
    }
    team.tampered -= {tag for tag, made in team.verified.items() if there[tag] == made}
    for who in (team.observer, *team.people.values()):
        who.fetch()
        verifier = Verifier(who.repository())
        for tag in set(team.verified) - team.tampered:
            verifier.verify(tag)


def gate_and_promote_agree(team):
    team.observer.fetch()
    for source, target in (("dev", TEST), ("test", MAIN)):
        found = check_merge(ProposedMerge(source, target.pattern), team.observer.repository())
        try:
            plan_promotion(team.observer.repository(), target)
            refused = None
        except FlowError as error:
            refused = error.refusal
        words = f"{source} into {target.pattern}: the gate says {found}, promote says {refused}"
        assert bool(found) == (refused is None) or (
            found and refused and getattr(refused, "code", "nothing_to_promote") in _FORGE_SEES
        ), words

"""Three people do random things, right and wrong, and what the flow promises holds; `make flow-walks` goes on."""

import os
import random
import tempfile
from pathlib import Path

import pytest

from tests.integration.branching.walk import illegal, legal, mending, promises
from tests.integration.branching.walk.team import NAMES

RIGHT = [legal.begin, legal.work, legal.share, legal.bring, legal.button, legal.help_out, legal.move]
RELEASING = [legal.move, legal.mark, legal.ship, legal.part, legal.deliver, legal.deliver]
WRONG = [
    illegal.stray,
    illegal.over,
    illegal.squashed,
    illegal.forwarded,
    illegal.levelled,
    illegal.from_main,
    illegal.main_inside,
    illegal.amend,
    illegal.carried,
    illegal.wrong_candidate,
    illegal.wrong_release,
    illegal.nightly,
    illegal.like_a_branch,
    illegal.stranger,
    illegal.revert,
    illegal.withdrawn,
    illegal.tampered,
]
MENDING = [mending.mend_status, mending.mend_refusal, mending.mend_release]
WALKS = int(os.environ.get("FLOW_WALKS", "1"))
STEPS = (
    [int(os.environ["FLOW_WALK_STEPS"])]
    if "FLOW_WALK_STEPS" in os.environ
    else [30, pytest.param(120, marks=pytest.mark.slow)]
)

KINDS = [RIGHT, RIGHT, RELEASING, RELEASING, WRONG, MENDING, MENDING]


def drawn(seed, length):
    """Acts, each with who does it and a number that says how."""
    chance = random.Random(seed)
    return [
        (chance.choice(chance.choice(KINDS)), chance.choice(NAMES), chance.randrange(1000)) for _ in range(length)
    ]


@pytest.mark.timeout(0 if WALKS > 1 else 3600)
@pytest.mark.parametrize("length", STEPS)
def test_three_people_lose_nothing_and_are_told_the_same(shelf, length):
    """One walk is the same each time; more of them are others each time, and the seed of what fails is told."""
    for seed in [1] if WALKS == 1 else [random.randrange(2**32) for _ in range(WALKS)]:
        with tempfile.TemporaryDirectory() as home:
            team = shelf.team(Path(home))
            team.trace.append(f"seed {seed}")
            _walk(team, drawn(seed, length))


def _walk(team, walk):
    for number, (act, name, pick) in enumerate(walk):
        team.trace.append(f"{number} {name}: {act.__name__}({pick})")
        try:
            act(team, team.people[name], pick)
            promises.nothing_is_lost(team)
            if number % 4 == 0:
                promises.gate_and_promote_agree(team)
                promises.releases_stay_verified(team)
        except Exception as error:
            error.add_note("\n".join([team.trace[0], *team.trace[-40:]]))
            raise
